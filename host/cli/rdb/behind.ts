// What stands behind an RDB and is not read: the commands of an append-only file, or what does not
// belong there. A dump alone would look like all there is.

import type { OpenSource } from './sources.js';

/** Bytes that tell what it is. */
const HEAD_BYTES = 64;
/** How long a pipe is waited for that neither ends nor goes on. */
const WAIT_MS = 500;

function whatIs(head: Uint8Array): string {
  const text = Buffer.from(head).toString('latin1');
  if (/^(?:#TS:\d+\r\n)?\*\d+\r\n/.test(text)) return 'the commands of an append-only file';
  if (/^(?:REDIS|VALKEY)/.test(text)) return 'another RDB begins there';
  if (head.every((byte) => byte === 0)) return 'they are zero';
  return 'they are no commands of an append-only file';
}

/** The next bytes of the source; none when it ends, or does neither. */
async function nextOf({ rdb, size }: OpenSource, signal: AbortSignal): Promise<Uint8Array> {
  const head = new Uint8Array(HEAD_BYTES);
  const pulled = (async () => rdb.pull(head))();
  const waits = size === undefined ? [waited(signal)] : [];
  const length = await Promise.race([pulled.catch(() => 0), ...waits]);
  return head.subarray(0, length);
}

function waited(signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(0), WAIT_MS);
    timer.unref();
    signal.addEventListener('abort', () => resolve(0), { once: true });
  });
}

/** Lines about what follows the `rdbBytes` of a source, of which `behind` was read by the way. */
export async function describeRest(
  source: OpenSource,
  rdbBytes: number,
  behind: Uint8Array,
  signal: AbortSignal,
): Promise<string[]> {
  const lines = source.followers.flatMap(({ name, bytes }) => {
    if (bytes === undefined) return [`${name}, which follows the RDB, is missing`];
    return bytes === 0 ? [] : [`${bytes} bytes of commands in ${name} were not read`];
  });
  const head = behind.length > 0 ? behind.slice(0, HEAD_BYTES) : await nextOf(source, signal);
  if (head.length === 0) return lines;
  const { size } = source.rdb;
  const bytes = size === undefined ? 'what stands' : `${size - rdbBytes} bytes`;
  const verb = size === undefined ? 'was' : 'were';
  return [...lines, `${bytes} behind the RDB ${verb} not read: ${whatIs(head)}`];
}
