// Commands on streams where a server beside them cannot help: memory that runs out at every
// allocation in turn, the effects, large groups.

import { beforeAll, describe, expect, test } from 'vitest';
import { type MemoryClient, MemoryHost } from '../../sim/memory-host.js';
import { type Arg, encodeCommand } from '../../support/bytes.js';
import { FAULTS } from '../../support/compile.js';
import { CoreClient, compileCore } from './support/core-client.js';

const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

let module: WebAssembly.Module;
beforeAll(() => {
  module = compileCore(FAULTS);
}, 300_000);

const text = (reply: Buffer) => reply.toString('latin1');
const many = (n: number, make: (i: number) => Arg[]): Arg[][] =>
  Array.from({ length: n }, (_, i) => make(i + 1));
const long = 'x'.repeat(300);

/** A stream of n entries, half of them pending for `a`. */
const withGroup = (n: number): Arg[][] => [
  ...many(n, (i) => ['XADD', 's', `${i}-1`, 'field', `value ${i}`]),
  ['XGROUP', 'CREATE', 's', 'g', '0'],
  ['XREADGROUP', 'GROUP', 'g', 'a', 'COUNT', n >> 1, 'STREAMS', 's', '>'],
];

describe('memory that runs out', () => {
  const cases: [what: string, before: Arg[][], command: Arg[]][] = [
    ['XADD, new', [], ['XADD', 's', '1-1', 'f', 'v']],
    [
      'XADD, grows a node',
      many(20, (i) => ['XADD', 's', i, 'f', 'v']),
      ['XADD', 's', 99, 'f', long],
    ],
    ['XADD, new node', many(100, (i) => ['XADD', 's', i, 'f', 'v']), ['XADD', 's', 999, 'f', 'v']],
    ['XADD, other fields', withGroup(20), ['XADD', 's', '99-1', 'other', 'fields', long, long]],
    ['XGROUP CREATE', withGroup(4), ['XGROUP', 'CREATE', 's', 'h', '$']],
    ['XGROUP CREATE MKSTREAM', [], ['XGROUP', 'CREATE', 's', 'h', '$', 'MKSTREAM']],
    ['XGROUP CREATECONSUMER', withGroup(4), ['XGROUP', 'CREATECONSUMER', 's', 'g', 'b']],
    ['XREADGROUP', withGroup(40), ['XREADGROUP', 'GROUP', 'g', 'b', 'STREAMS', 's', '>']],
    ['XREADGROUP, history', withGroup(4), ['XREADGROUP', 'GROUP', 'g', 'b', 'STREAMS', 's', '0']],
    [
      'XCLAIM',
      withGroup(40),
      ['XCLAIM', 's', 'g', 'b', 0, ...Array.from({ length: 20 }, (_, i) => `${i + 1}-1`)],
    ],
    [
      'XCLAIM FORCE',
      withGroup(40),
      ['XCLAIM', 's', 'g', 'b', 0, '30-1', '31-1', 'FORCE', 'LASTID', '31-1'],
    ],
    ['XAUTOCLAIM', withGroup(80), ['XAUTOCLAIM', 's', 'g', 'b', 0, 0]],
    ['XDEL', [...many(128, (i) => ['XADD', 's', `1-${i}`, 'f', 'v'])], ['XDEL', 's', '1-5']],
    ['COPY', withGroup(40), ['COPY', 's', 't']],
  ];

  test.each(cases)('%s: answered, and nothing is torn', (what, before, command) => {
    let failures = 0;
    let n = 0;
    for (; n < 200; n++) {
      const core = new CoreClient(module);
      core.command('SET', 'other', 'x');
      for (const args of before) core.command(...args);
      const state = () => ['s', 't'].map((key) => text(core.command('DUMP', key)));
      const had = state();
      const dirty = core.debug.debugDirty!();
      core.debug.debugFailAfter!(n);
      const reply = text(core.command(...command));
      const isOver = core.debug.debugFailWaits!() !== 0;
      core.debug.debugFailAfter!(-1);
      if (isOver) break;
      if (reply.startsWith('-')) {
        failures++;
        expect(reply).toBe(OOM);
        expect(core.debug.debugDirty!()).toBe(dirty);
        expect(state()).toEqual(had);
      }
      // whatever was done is whole: owners and pending entries fit each other
      const dump = core.command('DUMP', 's');
      if (dump[1] === 45) continue;
      const payload = dump.subarray(dump.indexOf('\r\n') + 2, -2);
      expect(text(core.command('RESTORE', 'again', 0, payload))).toBe('+OK\r\n');
      expect(text(core.command('XADD', 's', '1000-1', 'f', 'v'))).toBe('$6\r\n1000-1\r\n');
    }
    // a node that wants room to grow is content with what the entry needs
    if (!/XDEL|node|fields/.test(what)) expect(failures).toBeGreaterThan(0);
    expect(n).toBeLessThan(200);
  });

  test('XREADGROUP hands out as many as became pending', () => {
    for (let n = 0; n < 30; n++) {
      const core = new CoreClient(module);
      for (const args of withGroup(60)) core.command(...args);
      core.debug.debugFailAfter!(n);
      const reply = text(core.command('XREADGROUP', 'GROUP', 'g', 'b', 'STREAMS', 's', '>'));
      core.debug.debugFailAfter!(-1);
      const shown = reply.match(/value/g)?.length ?? 0;
      const pending = /^\*4\r\n:(\d+)/.exec(text(core.command('XPENDING', 's', 'g')))![1];
      expect(Number(pending)).toBe(30 + shown);
      const rest = text(core.command('XREADGROUP', 'GROUP', 'g', 'b', 'STREAMS', 's', '>'));
      expect((rest.match(/value/g)?.length ?? 0) + shown).toBe(30);
    }
  });
});

describe('effects', () => {
  const told = (core: CoreClient) =>
    core.effects().map((args) => args.map((arg) => text(arg)).join(' '));

  /** What each command puts into the stream, SELECT left out. */
  function effectsOf(core: CoreClient, ...args: Arg[]): string[] {
    core.command(...args);
    return told(core).filter((line) => line !== 'SELECT 0');
  }

  test('ids and thresholds are made exact', () => {
    const core = new CoreClient(module);
    core.followEffects();
    core.nowMs = 1_700_000_000_000;
    const of = (...args: Arg[]) => effectsOf(core, ...args);
    expect(of('XADD', 's', '*', 'f', 'v')).toEqual(['XADD s 1700000000000-0 f v']);
    expect(of('XADD', 's', '*', 'f', 'v')).toEqual(['XADD s 1700000000000-1 f v']);
    expect(of('XADD', 's', '1700000000005-*', 'f', 'v')).toEqual(['XADD s 1700000000005-0 f v']);
    expect(of('XADD', 's', 'MAXLEN', '~', '1', '*', 'f', 'v')).toEqual([
      'XADD s MAXLEN = 4 1700000000005-1 f v',
    ]);
    expect(of('XADD', 's', 'MINID', '~', '5', 'LIMIT', '7', '1800000000000-0', 'f', 'v')).toEqual([
      'XADD s MINID = 1700000000000-0 1800000000000-0 f v',
    ]);
    expect(of('XADD', 's', 'MAXLEN', '4', '1800000000001-0', 'f', 'v')).toEqual([
      'XADD s MAXLEN 4 1800000000001-0 f v',
    ]);
    expect(of('XADD', 's', 'NOMKSTREAM', '1800000000002', 'f', 'v')).toEqual([
      'XADD s NOMKSTREAM 1800000000002 f v',
    ]);
    expect(of('XADD', 'none', 'NOMKSTREAM', '*', 'f', 'v')).toEqual([]);
    expect(of('XTRIM', 's', 'MAXLEN', '~', '0', 'LIMIT', '3')).toEqual([]);
    expect(of('XTRIM', 's', 'MAXLEN', '~', '0')).toEqual(['XTRIM s MAXLEN = 0']);
    expect(of('XADD', 's', '1800000000003', 'f', 'v')).toHaveLength(1);
    expect(of('XTRIM', 's', 'MINID', '~', '1900000000000')).toEqual([
      'XTRIM s MINID = 18446744073709551615-18446744073709551615',
    ]);
  });

  test('what a group did', () => {
    const core = new CoreClient(module);
    core.nowMs = 1_700_000_000_000;
    for (const args of many(6, (i) => ['XADD', 's', `${i}-1`, 'f', 'v'])) core.command(...args);
    core.command('XGROUP', 'CREATE', 's', 'g', '0');
    core.followEffects();
    core.command('SET', 'x', '1');
    told(core);
    const of = (...args: Arg[]) => effectsOf(core, ...args);
    const now = '1700000000000';
    expect(of('XREADGROUP', 'GROUP', 'g', 'a', 'COUNT', '2', 'STREAMS', 's', '>')).toEqual([
      'MULTI',
      `XCLAIM s g a 0 1-1 TIME ${now} RETRYCOUNT 1 FORCE JUSTID LASTID 1-1`,
      `XCLAIM s g a 0 2-1 TIME ${now} RETRYCOUNT 1 FORCE JUSTID LASTID 2-1`,
      'XGROUP SETID s g 2-1 ENTRIESREAD 2',
      'EXEC',
    ]);
    expect(of('XREADGROUP', 'GROUP', 'g', 'b', 'NOACK', 'COUNT', '1', 'STREAMS', 's', '>')).toEqual(
      ['MULTI', 'XGROUP CREATECONSUMER s g b', 'XGROUP SETID s g 3-1 ENTRIESREAD 3', 'EXEC'],
    );
    expect(of('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '0')).toEqual([
      'XGROUP CREATECONSUMER s g c',
    ]);
    expect(of('XREADGROUP', 'GROUP', 'g', 'c', 'STREAMS', 's', '0')).toEqual([]);
    core.nowMs += 5;
    expect(of('XCLAIM', 's', 'g', 'b', '0', '1-1', 'RETRYCOUNT', '9', 'TIME', '5')).toEqual([
      'XCLAIM s g b 0 1-1 TIME 5 RETRYCOUNT 9 FORCE JUSTID LASTID 3-1',
    ]);
    expect(of('XCLAIM', 's', 'g', 'b', '0', '9-9', 'LASTID', '4-0')).toEqual([
      'XGROUP SETID s g 4-0 ENTRIESREAD 3',
    ]);
    expect(of('XAUTOCLAIM', 's', 'g', 'c', '0', '2')).toEqual([
      'XCLAIM s g c 0 2-1 TIME 1700000000005 RETRYCOUNT 2 FORCE JUSTID LASTID 4-0',
    ]);
    core.command('XDEL', 's', '2-1');
    told(core);
    expect(of('XAUTOCLAIM', 's', 'g', 'a', '0', '2')).toEqual([
      'XCLAIM s g c 0 2-1 TIME 1700000000005 RETRYCOUNT 2 FORCE JUSTID LASTID 4-0',
    ]);
    expect(of('XACK', 's', 'g', '1-1', '7-7')).toEqual(['XACK s g 1-1 7-7']);
    expect(of('XACK', 's', 'g', '1-1')).toEqual([]);
    expect(of('XGROUP', 'CREATECONSUMER', 's', 'g', 'a')).toEqual([]);
    expect(of('XREAD', 'STREAMS', 's', '0')).toEqual([]);
  });
});

describe('redis 8.2: deleting with regard to groups', () => {
  /** Entries 1-1 … 6-1; g has 1 to 4 pending, h was given 1 to 6 and has 3 pending. */
  function prepared(): (...args: Arg[]) => [reply: string, effects: string] {
    const core = new CoreClient(module);
    core.nowMs = 1_700_000_000_000;
    for (const args of many(6, (i) => ['XADD', 's', `${i}-1`, 'f', 'v'])) core.command(...args);
    for (const g of ['g', 'h']) core.command('XGROUP', 'CREATE', 's', g, '0');
    core.command('XREADGROUP', 'GROUP', 'g', 'c', 'COUNT', 4, 'STREAMS', 's', '>');
    core.command('XREADGROUP', 'GROUP', 'h', 'c', 'STREAMS', 's', '>');
    core.command('XACK', 's', 'h', '1-1', '2-1', '4-1', '5-1', '6-1');
    core.followEffects();
    core.command('SET', 'x', '1');
    core.effects();
    return (...args) => {
      const reply = text(core.command(...args))
        .replaceAll('\r\n', ' ')
        .trim();
      const effects = core.effects().map((one) => one.map((arg) => text(arg)).join(' '));
      return [reply, effects.filter((one) => !/^(MULTI|EXEC)$/.test(one)).join('; ')];
    };
  }

  test('XDELEX', () => {
    const ask = prepared();
    const deletes = (...ids: string[]) => ['XDELEX', 's', 'ACKED', 'IDS', ids.length, ...ids];
    expect(ask(...deletes('1-1', '9-9', '5-1'))).toEqual(['*3 :2 :-1 :2', '']);
    expect(ask('XACK', 's', 'g', '1-1')[0]).toBe(':1');
    expect(ask(...deletes('1-1', '3-1'))).toEqual(['*2 :1 :2', 'XDEL s 1-1']);
    expect(ask('XDELEX', 's', 'IDS', 2, '2-1', '2-1')).toEqual(['*2 :1 :-1', 'XDEL s 2-1']);
    const dropped = 'XACK s g 2-1; XACK s g 3-1; XACK s h 3-1; XDEL s 3-1';
    expect(ask('XDELEX', 's', 'IDS', 2, '2-1', '3-1', 'DELREF')).toEqual(['*2 :-1 :1', dropped]);
    expect(ask('XPENDING', 's', 'h')[0]).toBe('*4 :0 $-1 $-1 *-1');
    expect(ask('XDELEX', 'none', 'KEEPREF', 'IDS', 2, '1', '2')).toEqual(['*2 :-1 :-1', '']);
    expect(ask('XLEN', 's')[0]).toBe(':3');
  });

  test('XACKDEL', () => {
    const ask = prepared();
    const both = ['XACKDEL', 's', 'g', 'ACKED', 'IDS', 2, '1-1', '3-1'];
    expect(ask(...both)).toEqual(['*2 :1 :2', 'XACK s g 1-1; XDEL s 1-1; XACK s g 3-1']);
    expect(ask(...both)[0]).toBe('*2 :-1 :-1');
    const last = 'XACK s h 3-1; XDEL s 3-1';
    expect(ask('XACKDEL', 's', 'h', 'ACKED', 'IDS', 1, '3-1')).toEqual(['*1 :1', last]);
    expect(ask('XACKDEL', 's', 'g', 'IDS', 1, '2-1')[1]).toBe('XACK s g 2-1; XDEL s 2-1');
    expect(ask('XACKDEL', 's', 'none', 'IDS', 1, '4-1')).toEqual(['*1 :-1', '']);
    expect(ask('XLEN', 's')[0]).toBe(':3');
  });

  test('arguments', () => {
    const ask = prepared();
    const syntax = '-ERR syntax error';
    expect(ask('XDELEX', 's', 'ACKED', 'DELREF', 'IDS', 1, '1')[0]).toBe(syntax);
    expect(ask('XDELEX', 's', 'IDS', 1, '1', '2')[0]).toBe(syntax);
    expect(ask('XDELEX', 's', 'KEEPREF', 'x', 'y')[0]).toBe(syntax);
    expect(ask('XDELEX', 's', 'IDS', 3, '1', '2')[0]).toContain('must match the number');
    expect(ask('XDELEX', 's', 'IDS', 0, '1')[0]).toContain('positive integer');
    expect(ask('XDELEX', 's', 'IDS', 2, '1', 'x')[0]).toContain('Invalid stream ID');
    expect(ask('XDELEX', 'x', 'IDS', 1, '1')[0]).toContain('WRONGTYPE');
    expect(ask('XACKDEL', 'x', 'g', 'IDS', 1, '1')[0]).toContain('WRONGTYPE');
  });

  test('XTRIM and XADD', () => {
    let ask = prepared();
    expect(ask('XTRIM', 's', 'MAXLEN', 2, 'ACKED')).toEqual([':0', '']);
    ask('XACK', 's', 'g', '1-1', '2-1', '3-1');
    expect(ask('XTRIM', 's', 'MAXLEN', 3, 'ACKED')).toEqual([':2', 'XDEL s 1-1; XDEL s 2-1']);
    ask = prepared();
    ask('XDEL', 's', '1-1');
    expect(ask('XTRIM', 's', 'MINID', '4-1', 'DELREF')).toEqual([
      ':2',
      'XACK s g 2-1; XACK s g 3-1; XACK s h 3-1; XTRIM s MAXLEN = 3',
    ]);
    expect(ask('XTRIM', 's', 'KEEPREF', 'MAXLEN', 2)).toEqual([':1', 'XTRIM s MAXLEN = 2']);
    const added = 'XADD s 9-0 f v; XACK s g 4-1';
    ask = prepared();
    ask('XTRIM', 's', 'MAXLEN', 3);
    expect(ask('XADD', 's', 'DELREF', 'MAXLEN', 3, '9-*', 'f', 'v')).toEqual([
      '$3 9-0',
      `${added}; XTRIM s MAXLEN = 3`,
    ]);
    expect(ask('XADD', 's', 'ACKED', 'MAXLEN', 1, '10', 'f', 'v')[1]).toBe('XADD s 10-0 f v');
    expect(ask('XADD', 'new', 'KEEPREF', '1-1', 'f', 'v')).toEqual(['$3 1-1', 'XADD new 1-1 f v']);
  });
});

test('a client that waited gets a thousand entries, or the COUNT it gave', async () => {
  const host = new MemoryHost();
  const [reader, other, writer] = [host.open(), host.open(), host.open()];
  await reader.send(encodeCommand(['XREAD', 'BLOCK', 0, 'STREAMS', 's', '$']));
  await other.send(encodeCommand(['XREAD', 'BLOCK', 0, 'COUNT', 1050, 'STREAMS', 's', '$']));
  await writer.ask(encodeCommand(['MULTI']));
  for (const args of many(1100, (i) => ['XADD', 's', `${i}-1`, 'f', 'v'])) {
    await writer.ask(encodeCommand(args));
  }
  expect(reader.take()).toHaveLength(0);
  await writer.ask(encodeCommand(['EXEC']));
  const shown = (client: MemoryClient) => text(client.take()).match(/\d+-1/g)?.length;
  expect(shown(reader)).toBe(1000);
  expect(shown(other)).toBe(1050);
});

test('a group with many pending entries goes without a stall', () => {
  const core = new CoreClient(module);
  const n = 60_000;
  for (let i = 0; i < n; i += 1000) {
    const entries = many(1000, (k) => ['XADD', 's', `${i + k}-1`, 'f', 'v']);
    for (const args of entries) core.command(...args);
  }
  core.command('XGROUP', 'CREATE', 's', 'g', '0');
  for (let i = 0; i < n; i += 5000) {
    core.command('XREADGROUP', 'GROUP', 'g', 'a', 'COUNT', 5000, 'STREAMS', 's', '>');
  }
  const used = core.debug.debugUsed!();
  expect(text(core.command('XGROUP', 'DESTROY', 's', 'g'))).toBe(':1\r\n');
  // it is freed bit by bit, by the cron
  expect(used - core.debug.debugUsed!()).toBeLessThan(1 << 20);
  for (let i = 0; i < 5000; i++) core.core.x.cron(core.nowMs);
  expect(used - core.debug.debugUsed!()).toBeGreaterThan(n * 24);
});
