// What clients are sent unasked, seen from the core: memory for many receivers and slow ones, what
// is left when they go, what goes to followers, and every allocation failing in turn.

import { describe, expect, test } from 'vitest';
import { encodeCommand } from '../../support/bytes.js';
import { FrameReader, plain } from '../../support/resp.js';
import { TestCore } from './generic-support.js';

const AUTHENTICATED = 1 << 7;
const INTERNAL = 1 << 12;
const CLOSE_NOW = 4;
const OVER_LIMIT = 256;
const FAULTS = ['--enable', 'simd', '--use', 'ALLOC_FAULTS=1'];

class Pushes extends TestCore {
  constructor(growPages?: number) {
    super({ flags: FAULTS, ...(growPages === undefined ? {} : { growPages }) });
  }

  client(...commands: string[][]): number {
    const handle = this.open(AUTHENTICATED);
    for (const words of commands) this.as(handle, ...words);
    return handle;
  }

  as(handle: number, ...words: string[]): string {
    return this.feed(encodeCommand(words), handle);
  }

  close(handle: number): void {
    this.x.clientClose!(handle);
  }

  ready(): number[] {
    const out: number[] = [];
    for (;;) {
      const handle = this.x.nextReady!();
      if (handle < 0) return out;
      out.push(handle);
    }
  }

  /** Publishes as the first client, so that nothing of the publisher's is left behind. */
  publish(channel: string, message: string): number {
    return Number(this.run('PUBLISH', channel, message).slice(1));
  }
}

const message = (channel: string, text: string) =>
  `*3\r\n$7\r\nmessage\r\n$${channel.length}\r\n${channel}\r\n$${text.length}\r\n${text}\r\n`;

describe('many receivers', () => {
  test('each is in the ready list once, and costs little until it is sent to', () => {
    const core = new Pushes();
    core.publish('warm', 'up');
    const empty = core.x.used!();
    const handles = Array.from({ length: 5000 }, () => core.client(['SUBSCRIBE', 'x']));
    expect(core.ready()).toEqual([]);
    const before = core.x.used!();
    expect((before - empty) / 5000).toBeLessThan(600);
    expect(core.publish('x', 'hello')).toBe(5000);
    expect(core.publish('x', 'again')).toBe(5000);
    expect((core.x.used!() - before) / 5000).toBeLessThan(600);
    expect(core.ready().sort((a, b) => a - b)).toEqual(handles);
    expect(core.ready()).toEqual([]);
    for (const handle of handles) {
      expect(core.replies(handle)).toBe(message('x', 'hello') + message('x', 'again'));
    }
    expect(core.x.used!() - before).toBeLessThan(100_000);
    for (const handle of handles) core.close(handle);
    expect(core.publish('x', 'nobody')).toBe(0);
    expect(core.x.used!() - empty).toBeLessThan(200_000);
  });

  test('large messages arrive whole, in either protocol, also behind unread replies', () => {
    const core = new Pushes();
    const two = core.client(['SUBSCRIBE', 'x']);
    const three = core.client(['HELLO', '3'], ['SUBSCRIBE', 'x']);
    const texts = ['', 'a', 'b'.repeat(239), 'c'.repeat(65_520), 'd'.repeat(300_000), 'e'];
    for (const text of texts) core.publish('x', text);
    const all = texts.map((text) => message('x', text)).join('');
    expect(core.replies(two)).toBe(all);
    expect(core.replies(three)).toBe(all.replaceAll('*3', '>3'));
  });

  test('a client that goes while it is in the ready list', () => {
    const core = new Pushes();
    const handles = Array.from({ length: 5 }, () => core.client(['SUBSCRIBE', 'x']));
    core.publish('x', 'm');
    for (const at of [0, 2, 4]) core.close(handles[at]!);
    expect(core.ready().sort((a, b) => a - b)).toEqual([handles[1], handles[3]]);
  });

  test('subscriptions by the ten thousand are found, ended and freed', () => {
    const core = new Pushes();
    core.publish('warm', 'up');
    const before = core.x.used!();
    const handle = core.client();
    const names = Array.from({ length: 20_000 }, (_, i) => `channel:${i}`);
    for (let at = 0; at < names.length; at += 1000) {
      core.as(handle, 'SUBSCRIBE', ...names.slice(at, at + 1000));
    }
    for (const i of [0, 1, 999, 1000, 19_999]) expect(core.publish(names[i]!, 'm')).toBe(1);
    const left = core.as(handle, 'UNSUBSCRIBE', ...names.slice(0, 10_000));
    expect(left.endsWith(`:10000\r\n`)).toBe(true);
    expect(core.publish(names[9999]!, 'm')).toBe(0);
    expect(core.publish(names[10_000]!, 'm')).toBe(1);
    core.close(handle);
    expect(core.publish(names[19_999]!, 'm')).toBe(0);
    expect(core.x.used!() - before).toBeLessThan(500_000);
  });
});

describe('limits of output', () => {
  const NORMAL = 0;
  const PUBSUB = 2;

  test('hard: a subscriber that does not read is closed, its output dropped at once', () => {
    const core = new Pushes();
    core.x.effectsFollow!(0);
    core.x.configureOutput!(PUBSUB, 100_000, 0, 0);
    const slow = core.client(['SUBSCRIBE', 'x']);
    const before = core.x.used!();
    let most = 0;
    for (let i = 0; i < 1000; i++) {
      core.publish('x', 'y'.repeat(1000));
      most = Math.max(most, core.x.used!() - before);
    }
    expect(most).toBeLessThan(300_000);
    expect(core.x.used!() - before).toBeLessThan(200_000);
    expect(core.ready()).toEqual([slow]);
    const status = core.x.clientStatus!(slow);
    expect(status & (CLOSE_NOW | OVER_LIMIT)).toBe(CLOSE_NOW | OVER_LIMIT);
    expect(core.replies(slow)).toBe('');
    core.close(slow);
    expect(core.publish('x', 'm')).toBe(0);
  });

  test('hard: not while it reads', () => {
    const core = new Pushes();
    core.x.configureOutput!(PUBSUB, 100_000, 0, 0);
    const quick = core.client(['SUBSCRIBE', 'x']);
    for (let i = 0; i < 1000; i++) {
      core.publish('x', 'y'.repeat(10_000));
      expect(core.replies(quick).length).toBeGreaterThan(10_000);
    }
    expect(core.x.clientStatus!(quick) & CLOSE_NOW).toBe(0);
  });

  test('soft: only when it lasts, and also when nothing more is sent', () => {
    const core = new Pushes();
    core.x.configureOutput!(PUBSUB, 0, 100_000, 10);
    const slow = core.client(['SUBSCRIBE', 'x']);
    const late = core.client(['SUBSCRIBE', 'x']);
    const fill = () => {
      for (let i = 0; i < 150; i++) core.publish('x', 'y'.repeat(1000));
    };
    fill();
    core.now += 9000;
    fill();
    core.replies(late);
    core.x.cron!(core.now);
    expect(core.x.clientStatus!(slow) & CLOSE_NOW).toBe(0);
    core.now += 2000;
    core.x.cron!(core.now);
    expect(core.x.clientStatus!(slow) & OVER_LIMIT).toBe(OVER_LIMIT);
    expect(core.x.clientStatus!(late) & CLOSE_NOW).toBe(0);
  });

  test('normal: a reply that is too large is given up while it is written', () => {
    const core = new Pushes();
    core.x.configureOutput!(NORMAL, 1 << 20, 0, 0);
    const handle = core.client();
    core.as(handle, 'SET', 'k', 'v'.repeat(100_000));
    expect(core.as(handle, 'GET', 'k').length).toBeGreaterThan(100_000);
    const before = core.x.used!();
    const many = encodeCommand(['MGET', ...Array.from({ length: 1000 }, () => 'k')]);
    expect(core.feed(many, handle)).toBe('');
    expect(core.x.used!() - before).toBeLessThan(3 << 20);
    expect(core.x.clientStatus!(handle) & OVER_LIMIT).toBe(OVER_LIMIT);
  });

  test('who works in this process has none', () => {
    const core = new Pushes();
    core.x.configureOutput!(NORMAL, 1000, 0, 0);
    const local = core.open(AUTHENTICATED | INTERNAL);
    core.as(local, 'SET', 'k', 'v'.repeat(100_000));
    expect(core.as(local, 'GET', 'k').length).toBeGreaterThan(100_000);
    expect(core.as(local, 'SUBSCRIBE', 'x')).toMatch(/^-ERR SUBSCRIBE isn't allowed/);
    expect(core.as(local, 'PSUBSCRIBE', 'x')).toMatch(/^-ERR PSUBSCRIBE isn't allowed/);
    expect(core.as(local, 'SSUBSCRIBE', 'x')).toMatch(/^-ERR SSUBSCRIBE isn't allowed/);
    expect(core.as(local, 'MONITOR')).toMatch(/^-ERR MONITOR isn't allowed/);
  });
});

describe('followers', () => {
  test('hear of messages, verbatim, alone and in transactions', () => {
    const core = new Pushes();
    core.run('Publish', 'c', 'm');
    expect(core.effects()).toEqual([
      ['SELECT', '0'],
      ['Publish', 'c', 'm'],
    ]);
    core.run('SPUBLISH', 'c', 'm');
    expect(core.effects()).toEqual([['SPUBLISH', 'c', 'm']]);
    core.run('MULTI');
    core.run('PUBLISH', 'c', 'm');
    core.run('SET', 'k', 'v');
    core.run('EXEC');
    expect(core.effects().map(([name]) => name)).toEqual(['MULTI', 'PUBLISH', 'SET', 'EXEC']);
    core.run('SUBSCRIBE', 'x');
    expect(core.effects()).toEqual([]);
  });

  test('a replica passes on what its master said, not what its clients say', () => {
    const core = new Pushes();
    const listener = core.client(['SUBSCRIBE', 'c'], ['CLIENT', 'ID']);
    core.x.role!(1, 1);
    expect(core.run('PUBLISH', 'c', 'mine')).toBe(':1\r\n');
    expect(core.effects()).toEqual([]);
    const master = core.openMaster();
    core.as(master, 'PUBLISH', 'c', 'masters');
    expect(core.effects()).toEqual([
      ['SELECT', '0'],
      ['PUBLISH', 'c', 'masters'],
    ]);
    expect(core.replies(listener)).toBe(message('c', 'mine') + message('c', 'masters'));
  });

  test('a master that sets keys invalidates what clients of the replica have read', () => {
    const core = new Pushes();
    const reader = core.client(['HELLO', '3'], ['CLIENT', 'TRACKING', 'ON'], ['GET', 'k']);
    core.x.role!(1, 1);
    core.as(core.openMaster(), 'SET', 'k', 'v');
    expect(core.replies(reader)).toBe('>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n');
  });
});

describe('tracking', () => {
  test('the table is kept within its limit, and whoever read is told', () => {
    const core = new Pushes();
    core.x.configureTracking!(50);
    const reader = core.client(['HELLO', '3'], ['CLIENT', 'TRACKING', 'ON']);
    for (let i = 0; i < 500; i++) core.as(reader, 'GET', `key:${i}`);
    core.ready();
    const frames = new FrameReader();
    frames.push(Buffer.from(core.replies(reader)));
    core.x.configureTracking!(10);
    core.run('PING');
    frames.push(Buffer.from(core.replies(reader), 'latin1'));
    const told = new Set<string>();
    for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
      const [kind, keys] = plain(frame) as [string, string[]];
      expect(kind).toBe('invalidate');
      for (const key of keys) {
        expect(told.has(key)).toBe(false);
        told.add(key);
      }
    }
    expect(told.size).toBe(40);
    // what is still tracked is exactly what was not told
    for (let i = 0; i < 500; i++) core.run('SET', `key:${i}`, 'v');
    const rest = new FrameReader();
    rest.push(Buffer.from(core.replies(reader), 'latin1'));
    let left = 0;
    for (; rest.next() !== undefined; ) left++;
    expect(left).toBe(10);
  });

  test('readers that go leave nothing behind once their keys change', () => {
    const core = new Pushes();
    const round = (n: number) => {
      const readers = Array.from({ length: 20 }, () =>
        core.client(['HELLO', '3'], ['CLIENT', 'TRACKING', 'ON']),
      );
      for (const reader of readers) {
        for (let i = 0; i < 20; i++) core.as(reader, 'GET', `key:${i}`);
      }
      for (const reader of readers.slice(0, n)) core.close(reader);
      for (let i = 0; i < 20; i++) core.run('SET', `key:${i}`, 'v');
      for (const reader of readers.slice(n)) core.close(reader);
      core.run('FLUSHALL');
      core.x.freeAll!();
    };
    round(10);
    core.ready();
    const before = core.x.used!();
    for (const n of [0, 20, 7]) round(n);
    core.ready();
    expect(core.x.used!() - before).toBeLessThan(2000);
  });
});

describe('memory may run out at any time', () => {
  const LINES: string[][] = [
    ['SUBSCRIBE', 'x', 'y'.repeat(300), 'z'],
    ['PSUBSCRIBE', 'x*', 'y*'],
    ['SSUBSCRIBE', 'x'],
    ['PUBLISH', 'c', 'm'.repeat(100_000)],
    ['PUBLISH', 'c', 'm'],
    ['SET', 'tracked', 'v'],
    ['SET', 'b:1', 'v'],
    ['GET', 'read'],
    ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'p', 'PREFIX', 'q'],
    ['CLIENT', 'TRACKING', 'ON', 'OPTIN'],
    ['FLUSHALL'],
    ['MONITOR'],
  ];

  test.each(LINES)('%s %s …: every allocation in turn', (...line) => {
    for (let n = 0; ; n++) {
      const core = new Pushes(600);
      core.x.configureNotify!(0x7fff);
      const others = [
        core.client(['SUBSCRIBE', 'c', '__keyevent@0__:set'], ['PSUBSCRIBE', '*']),
        core.client(['HELLO', '3'], ['CLIENT', 'TRACKING', 'ON'], ['GET', 'tracked']),
        core.client(['HELLO', '3'], ['CLIENT', 'TRACKING', 'ON', 'BCAST', 'PREFIX', 'b:']),
        core.client(['MONITOR']),
      ];
      const self = core.client(['HELLO', '3']);
      if (line[0] === 'GET') core.as(self, 'CLIENT', 'TRACKING', 'ON');
      for (const handle of others) core.replies(handle);
      core.x.faultAfter!(n);
      core.as(self, ...line);
      const hit = core.x.faultLeft!() < 0;
      core.x.faultAfter!(-1);
      core.ready();
      // Whoever missed something is closed; all others go on.
      const replies = new FrameReader();
      for (const handle of others) {
        if (core.x.clientStatus!(handle) & CLOSE_NOW) expect(core.replies(handle)).toBe('');
        else replies.push(Buffer.from(core.replies(handle), 'latin1'));
      }
      for (; replies.next() !== undefined; );
      expect(replies.pending.length).toBe(0);
      for (const handle of [...others, self]) core.close(handle);
      expect(core.run('PUBSUB', 'NUMPAT')).toBe(':0\r\n');
      expect(core.run('PUBSUB', 'CHANNELS')).toBe('*0\r\n');
      core.run('SET', 'tracked', 'w');
      if (!hit) break;
      expect(n).toBeLessThan(200);
    }
  });
});
