// Sources that stall, never end or cannot be read: reading ends when it is told to, others get
// their turn meanwhile, and whatever was handed over is let go.

import { once } from 'node:events';
import { createReadStream, readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import {
  analyzeRdb,
  checkRdb,
  convertRdb,
  diffRdb,
  exportCommands,
  exportCsv,
  exportJson,
  mergeRdb,
  type RdbSource,
  type ReadOptions,
  readRdb,
  splitRdb,
} from '../../host/rdb-node.js';
import { ROOT } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

const FILE = join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb');
const BYTES = readFileSync(FILE);
const HEAD = new TextEncoder().encode('REDIS0010');

type Options = Pick<ReadOptions, 'signal' | 'wasm'>;
type Iterated = AsyncIterable<unknown>;

/** Everything that reads, as an iteration where it is one. */
const ITERATED: Record<string, (source: RdbSource, options: Options) => Iterated> = {
  readRdb,
  'readRdb, streamed': (source, options) => readRdb(source, { ...options, values: 'stream' }),
  exportJson,
  exportCsv,
  exportCommands,
  convertRdb,
  'convertRdb, by a function': (source, options) => convertRdb(() => source, options),
  mergeRdb: (source, options) => mergeRdb([BYTES, source], options),
  splitRdb: (source, options) => splitRdb(source, { by: 'db' }, options),
  'diffRdb, the first': (source, options) =>
    diffRdb(
      () => source,
      () => BYTES,
      options,
    ),
  'diffRdb, the second': (source, options) =>
    diffRdb(
      () => BYTES,
      () => source,
      options,
    ),
};

async function drain(iterated: Iterated): Promise<number> {
  let n = 0;
  for await (const _one of iterated) n++;
  return n;
}

const READERS: Record<string, (source: RdbSource, options: Options) => Promise<unknown>> = {
  ...Object.fromEntries(
    Object.entries(ITERATED).map(([name, read]) => [
      name,
      (source: RdbSource, options: Options) => drain(read(source, options)),
    ]),
  ),
  checkRdb,
  analyzeRdb,
};

interface Stalled {
  source: RdbSource;
  /** More is waited for, after `head` was given. */
  isAwaited(): boolean;
  isReleased(): boolean;
}

/** Sources that give `head` and then nothing more. */
const STALLED: Record<string, (head: Uint8Array) => Stalled> = {
  'a stream of the web'(head) {
    let pulls = 0;
    let isReleased = false;
    const source = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (pulls++ > 0) return new Promise(() => {});
          controller.enqueue(head);
          return undefined;
        },
        // and that takes its time
        cancel: () => {
          isReleased = true;
          return new Promise(() => {});
        },
      },
      { highWaterMark: 0 },
    );
    return { source, isAwaited: () => pulls > 1, isReleased: () => isReleased && !source.locked };
  },
  'a stream of bytes of the web'(head) {
    let pulls = 0;
    let isReleased = false;
    const source = new ReadableStream({
      type: 'bytes',
      pull(controller) {
        if (pulls++ > 0) return new Promise(() => {});
        controller.enqueue(new Uint8Array(head));
        return undefined;
      },
      cancel: () => {
        isReleased = true;
      },
    });
    return { source, isAwaited: () => pulls > 1, isReleased: () => isReleased && !source.locked };
  },
  'a stream of Node.js'(head) {
    const source = new PassThrough();
    source.write(head);
    return {
      source,
      isAwaited: () => source.readableLength === 0 && source.listenerCount('readable') > 0,
      isReleased: () => source.destroyed,
    };
  },
  'an iterable'(head) {
    let asked = 0;
    let isReleased = false;
    const iterator: AsyncIterator<Uint8Array> = {
      next: () =>
        asked++ === 0 ? Promise.resolve({ done: false, value: head }) : new Promise(() => {}),
      return: () => {
        isReleased = true;
        return new Promise(() => {});
      },
    };
    const source = { [Symbol.asyncIterator]: () => iterator };
    return { source, isAwaited: () => asked > 1, isReleased: () => isReleased };
  },
  'what is pulled from'(head) {
    let pulls = 0;
    let closes = 0;
    const source = {
      pull(into: Uint8Array): number | Promise<number> {
        if (pulls++ > 0) return new Promise(() => {});
        into.set(head);
        return head.length;
      },
      close() {
        closes++;
        return new Promise<void>(() => {});
      },
    };
    return { source, isAwaited: () => pulls > 1, isReleased: () => closes === 1 };
  },
};

const kinds = Object.keys(STALLED);
/** What a file begins with, and nothing of it. */
const heads = [HEAD, HEAD.subarray(0, 3)];

describe('a signal ends a read that waits', () => {
  describe.each(Object.keys(READERS))('%s', (name) => {
    test.each(kinds)('%s', async (kind) => {
      for (const head of heads) {
        const abort = new AbortController();
        const { source, isAwaited, isReleased } = STALLED[kind]!(head);
        const failed = READERS[name]!(source, { signal: abort.signal }).catch((error) => error);
        await waitFor(isAwaited);
        abort.abort();
        expect(await failed).toMatchObject({ code: 'ERR_RESPITE_ABORTED' });
        expect(isReleased()).toBe(true);
      }
    });
  });

  test('a generator is ended as soon as it can be', async () => {
    let goOn = (): void => {};
    let isReleased = false;
    let isAwaited = false;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      try {
        yield HEAD;
        isAwaited = true;
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
        yield HEAD;
      } finally {
        isReleased = true;
      }
    }
    const abort = new AbortController();
    const failed = drain(readRdb(pieces(), { signal: abort.signal })).catch((error) => error);
    await waitFor(() => isAwaited);
    abort.abort();
    expect(await failed).toMatchObject({ code: 'ERR_RESPITE_ABORTED' });
    goOn();
    await waitFor(() => isReleased);
  });

  test('a pull that aborts', async () => {
    const abort = new AbortController();
    let closes = 0;
    const source = {
      pull() {
        abort.abort();
        return new Promise<number>(() => {});
      },
      close() {
        closes++;
      },
    };
    const failed = drain(readRdb(source, { signal: abort.signal }));
    await expect(failed).rejects.toMatchObject({ code: 'ERR_RESPITE_ABORTED' });
    expect(closes).toBe(1);
  });

  test.each(['convertRdb', 'diffRdb'])('%s: a source that is opened too late', async (name) => {
    const abort = new AbortController();
    let open = (_source: RdbSource): void => {};
    let isAsked = false;
    const opening = () => {
      isAsked = true;
      return new Promise<RdbSource>((resolve) => {
        open = resolve;
      });
    };
    const { signal } = abort;
    const run =
      name === 'diffRdb' ? diffRdb(opening, opening, { signal }) : convertRdb(opening, { signal });
    const failed = drain(run).catch((error) => error);
    await waitFor(() => isAsked);
    abort.abort();
    expect(await failed).toMatchObject({ code: 'ERR_RESPITE_ABORTED' });
    const late = Readable.from([HEAD]);
    open(late);
    await waitFor(() => late.destroyed);
  });
});

describe('leaving while the next is waited for', () => {
  describe.each(Object.keys(ITERATED))('%s', (name) => {
    test.each(kinds)('%s', async (kind) => {
      const { source, isAwaited, isReleased } = STALLED[kind]!(HEAD);
      const iterator = ITERATED[name]!(source, {})[Symbol.asyncIterator]();
      // what a merge gives before it waits
      const drained = (async () => {
        for (;;) if ((await iterator.next()).done) return 'done';
      })();
      await waitFor(isAwaited);
      expect(await iterator.return!()).toEqual({ done: true, value: undefined });
      expect(await drained).toBe('done');
      expect(isReleased()).toBe(true);
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
    });
  });

  test('an element of a streamed value is waited for', async () => {
    const head = Buffer.from('REDIS0010\xfe\x00\x01\x04list\x09\x80\x00\x40\x00\x00', 'latin1');
    // of a size that is handed out before there is more
    const element = Buffer.alloc(0x400000, 'x');
    const { source, isAwaited, isReleased } = STALLED['a stream of Node.js']!(
      Buffer.concat([head, element]),
    );
    const keys = readRdb(source, { values: 'stream' })[Symbol.asyncIterator]();
    const { value: entry } = await keys.next();
    const elements = (async () => {
      for await (const _element of entry.read());
      return 'over';
    })().catch((error) => error.code);
    await waitFor(isAwaited);
    await keys.return!();
    expect(await elements).toBe('ERR_RESPITE_ABORTED');
    expect(isReleased()).toBe(true);
  });

  test('a stream made of an iteration is destroyed', async () => {
    const { source, isAwaited, isReleased } = STALLED['a stream of the web']!(HEAD);
    const stream = Readable.from(exportJson(source));
    stream.resume();
    await waitFor(isAwaited);
    stream.destroy();
    await waitFor(isReleased);
  });

  test.each(Object.keys(ITERATED).filter((name) => !/diff|function/.test(name)))(
    '%s: before anything was read',
    async (name) => {
      const stream = createReadStream(FILE);
      await ITERATED[name]!(stream, {})[Symbol.asyncIterator]().return!();
      expect(stream.destroyed).toBe(true);
    },
  );

  test('breaking waits until the source is closed', async () => {
    let isClosed = false;
    const source = {
      pull: (into: Uint8Array) => {
        into.set(BYTES);
        return BYTES.length;
      },
      async close() {
        await new Promise((resolve) => setTimeout(resolve, 20));
        isClosed = true;
      },
    };
    for await (const _entry of readRdb(source)) break;
    expect(isClosed).toBe(true);
  });
});

/** Keys without end. */
function* endless(): Generator<Uint8Array> {
  yield Buffer.from('REDIS0010\xfe\x00', 'latin1');
  const keys = Array.from({ length: 2000 }, (_, i) => {
    const key = `key:${i}`;
    return `\x00${String.fromCharCode(key.length)}${key}\x01v`;
  });
  const piece = Buffer.from(keys.join(''), 'latin1');
  for (;;) yield piece;
}

describe('others have their turn', () => {
  const sources: Record<string, () => RdbSource> = {
    'an iterable': endless,
    'an async iterable': async function* () {
      yield* endless();
    },
    'a stream of the web': () => {
      const pieces = endless();
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          controller.enqueue(pieces.next().value);
        },
      });
    },
    'what is pulled from': () => {
      const pieces = endless();
      let piece = new Uint8Array(0);
      return {
        pull(into) {
          if (piece.length === 0) piece = pieces.next().value;
          const part = piece.subarray(0, into.length);
          into.set(part);
          piece = piece.subarray(part.length);
          return part.length;
        },
      };
    },
  };
  const names = ['readRdb', 'exportJson', 'exportCommands', 'convertRdb', 'checkRdb', 'analyzeRdb'];

  describe.each(Object.keys(sources))('%s', (kind) => {
    test.each(names)('%s', async (name) => {
      const signal = AbortSignal.timeout(1);
      const failed = READERS[name]!(sources[kind]!(), { signal });
      await expect(failed).rejects.toMatchObject({ code: 'ERR_RESPITE_ABORTED' });
    });
  });

  test('between the keys of one piece, too', async () => {
    const pieces = endless();
    const head = pieces.next().value;
    const keys = pieces.next().value;
    const file = Buffer.concat([head, ...Array.from({ length: 8 }, () => keys)]);
    let seen = 0;
    const slowly = async () => {
      for await (const _entry of readRdb(file, { signal: AbortSignal.timeout(1) })) {
        seen++;
        const untilMs = performance.now() + 1;
        while (performance.now() < untilMs);
      }
    };
    await expect(slowly()).rejects.toMatchObject({ code: 'ERR_RESPITE_ABORTED' });
    expect(seen).toBeLessThan(2000);
  });
});

describe('a server that is slow to answer', () => {
  /** What it says before it stops; it is aborted when it has said so. */
  const stages: Record<string, { replies: string[]; isAborted: (asked: string) => boolean }> = {
    'to the greeting': { replies: [], isAborted: (asked) => /PING/i.test(asked) },
    'with the transfer': {
      replies: ['+FULLRESYNC 0123456789012345678901234567890123456789 0\r\n'],
      isAborted: (asked) => /PSYNC/i.test(asked),
    },
    'in the transfer': {
      replies: [
        '+FULLRESYNC 0123456789012345678901234567890123456789 0\r\n$1000000\r\nREDIS0010\xfe\x00',
      ],
      isAborted: (asked) => /PSYNC/i.test(asked),
    },
  };
  const readers = ['readRdb', 'convertRdb', 'mergeRdb', 'analyzeRdb'];

  describe.each(Object.keys(stages))('%s', (stage) => {
    test.each(readers)('%s', async (reader) => {
      const { replies, isAborted } = stages[stage]!;
      const abort = new AbortController();
      let isClosed = false;
      const serve = (socket: Socket): void => {
        let asked = '';
        socket.on('error', () => {});
        socket.on('close', () => {
          isClosed = true;
        });
        socket.on('data', (data) => {
          const said = data.toString('latin1');
          asked += said;
          if (/PSYNC/i.test(said)) socket.write(replies[0] ?? '', 'latin1');
          else if (replies.length > 0) {
            // one reply a command
            for (const one of said.matchAll(/^\*\d+\r$/gm)) if (one) socket.write('+OK\r\n');
          }
          if (isAborted(asked)) setImmediate(() => abort.abort());
        });
      };
      const server = createServer(serve).listen(0, '127.0.0.1');
      try {
        await once(server, 'listening');
        const { port } = server.address() as { port: number };
        const failed = READERS[reader]!(`redis://127.0.0.1:${port}`, { signal: abort.signal });
        await expect(failed).rejects.toMatchObject({ code: 'ERR_RESPITE_ABORTED' });
        await waitFor(() => isClosed);
      } finally {
        server.close();
      }
    });
  });
});

describe('sources are let go when reading fails before its first byte', () => {
  const failing: Record<string, () => Options> = {
    'aborted before': () => ({ signal: AbortSignal.abort() }),
    'no module': () => ({ wasm: new Uint8Array(3) }),
  };
  describe.each(Object.keys(failing))('%s', (why) => {
    test.each(Object.keys(READERS))('%s', async (name) => {
      // a function is not asked then, or is as much as it is
      if (/function|diff/.test(name)) return;
      const stream = createReadStream(FILE);
      await once(stream, 'open');
      await expect(READERS[name]!(stream, failing[why]!())).rejects.toThrow();
      expect(stream.destroyed).toBe(true);
      let isCancelled = false;
      const web = new ReadableStream<Uint8Array>({
        cancel() {
          isCancelled = true;
        },
      });
      await expect(READERS[name]!(web, failing[why]!())).rejects.toThrow();
      expect([isCancelled, web.locked]).toEqual([true, false]);
    });
  });

  test('a merge lets go of those it has not come to', async () => {
    const streams = [createReadStream(FILE), createReadStream('/dev/null'), createReadStream(FILE)];
    const merged = mergeRdb([streams[0]!, join(ROOT, 'is-not-there'), ...streams.slice(1)]);
    await expect(drain(merged)).rejects.toMatchObject({ code: 'ERR_RESPITE_IO' });
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([true, true, true]);
  });
});
