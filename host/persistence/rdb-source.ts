// RDB bytes from files and descriptors of Node.js: plain ones are read straight into the memory
// the reader wants them in, compressed ones (gzip, and zstd where Node has it) are told by their
// first bytes and unpacked on the way.

import fs from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { RespiteError } from '../errors.js';
import { pullHead, pullSource, type RdbPullSource } from '../rdb/source.js';
import { openWithoutWaiting, waitingStream } from './waiting-stream.js';

/** A source that was opened. */
export interface OpenedSource extends RdbPullSource {
  /** As it was named; `-` is standard input. */
  readonly name: string;
  /** Bytes that were read, of `sourceSize`; of a compressed source compressed ones. */
  position(): number;
  readonly sourceSize: number | undefined;
  readonly packing: 'none' | 'gzip' | 'zstd';
  /** Files that belong behind it: the commands of a multi-part append-only file. */
  readonly followers: readonly Follower[];
}

export interface Follower {
  readonly name: string;
  /** Undefined: it is missing. */
  readonly bytes: number | undefined;
}

const PIECE_BYTES = 1 << 18;
/** Bytes that tell what a source is. */
const HEAD_BYTES = 16;

export function unreadable(name: string, reason: string, cause?: unknown): RespiteError {
  const shown = name === '-' ? 'standard input' : name;
  return new RespiteError('ERR_RESPITE_IO', `Cannot read ${shown}: ${reason}`, {
    cause,
    details: { path: name },
  });
}

/** What Node.js says of a failed call, without code and name: `no such file or directory`. */
export function plainReason(error: unknown): string {
  const { message } = error as Error;
  return /^[A-Z0-9]+: (.*?), \w+(?: '.*)?$/s.exec(message)?.[1] ?? message;
}

/** A descriptor; what was read ahead of time comes first. */
class DescriptorSource implements OpenedSource {
  readonly name: string;
  readonly packing = 'none';
  readonly sourceSize: number | undefined;
  readonly followers: readonly Follower[];
  readonly #ownsFd: boolean;
  #fd: number;
  /** Reads what may have to be waited for, and owns the descriptor then. */
  #stream: Readable | undefined;
  #pieces: RdbPullSource | undefined;
  #head: Uint8Array = new Uint8Array(0);
  #position = 0;

  constructor(name: string, fd: number, followers: readonly Follower[] = []) {
    this.name = name;
    this.followers = followers;
    this.#fd = fd;
    this.#ownsFd = name !== '-';
    const stat = fs.fstatSync(fd);
    this.sourceSize = stat.isFile() ? stat.size : undefined;
  }

  get size(): number | undefined {
    return this.sourceSize;
  }

  get canReopen(): boolean {
    return this.#ownsFd && this.sourceSize !== undefined;
  }

  position(): number {
    return this.#position - this.#head.length;
  }

  /** The first bytes, which stay to be read. */
  async peek(): Promise<Uint8Array> {
    this.#stream = await waitingStream(this.#fd);
    if (this.#stream !== undefined) this.#pieces = pullSource(this.#stream);
    this.#head = await pullHead(this, HEAD_BYTES);
    return this.#head;
  }

  pull(into: Uint8Array): number | Promise<number> {
    if (this.#head.length > 0) {
      const part = this.#head.subarray(0, into.length);
      into.set(part);
      this.#head = this.#head.subarray(part.length);
      return part.length;
    }
    if (this.#pieces !== undefined) return this.#pullPieces(this.#pieces, into);
    // who reads large files gives others their turn
    return this.sourceSize === undefined ? this.#pullAside(into) : this.#read(into);
  }

  #read(into: Uint8Array): number {
    try {
      const length = fs.readSync(this.#fd, into);
      this.#position += length;
      return length;
    } catch (error) {
      throw unreadable(this.name, (error as Error).message, error);
    }
  }

  async #pullPieces(pieces: RdbPullSource, into: Uint8Array): Promise<number> {
    try {
      const length = await pieces.pull(into);
      this.#position += length;
      return length;
    } catch (error) {
      throw unreadable(this.name, (error as Error).message, error);
    }
  }

  /** Devices: another thread reads. */
  #pullAside(into: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, into, 0, into.length, null, (error, length) => {
        if (error) return reject(unreadable(this.name, error.message, error));
        this.#position += length;
        resolve(length);
      });
    });
  }

  /** The rest as pieces. */
  async *pieces(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const piece = Buffer.allocUnsafe(PIECE_BYTES);
      const length = await this.pull(piece);
      if (length === 0) return;
      yield piece.subarray(0, length);
    }
  }

  close(): void {
    if (this.#stream !== undefined) this.#stream.destroy();
    else if (this.#ownsFd && this.#fd >= 0) fs.closeSync(this.#fd);
    this.#fd = -1;
  }
}

type Unpack = (options: object) => NodeJS.ReadWriteStream & Readable;

/** What unpacks; undefined: this Node.js does not. Loaded when something is packed. */
async function unpacker(packing: 'gzip' | 'zstd'): Promise<ReturnType<Unpack> | undefined> {
  const { default: zlib } = await import('node:zlib');
  const chunkSize = PIECE_BYTES;
  // all there is of a file that is cut off; that something is missing, the reader sees
  if (packing === 'gzip') {
    return zlib.createGunzip({ chunkSize, finishFlush: zlib.constants.Z_SYNC_FLUSH });
  }
  // Node 22.15 and 23.8 have zstd
  const { createZstdDecompress: create } = zlib as { createZstdDecompress?: Unpack };
  const { ZSTD_e_flush: finishFlush } = zlib.constants as { ZSTD_e_flush?: number };
  return create?.({ chunkSize, finishFlush });
}

/** Writes pieces to a stream, as fast as it takes them. */
async function feed(pieces: AsyncIterable<Uint8Array>, to: ReturnType<Unpack>): Promise<void> {
  for await (const piece of pieces) {
    if (to.destroyed) return;
    if (to.write(piece)) continue;
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        to.off('drain', goOn);
        to.off('close', goOn);
        resolve();
      };
      to.on('drain', goOn);
      to.on('close', goOn);
    });
  }
  to.end();
}

class UnpackedSource implements OpenedSource {
  readonly name: string;
  readonly packing: 'gzip' | 'zstd';
  readonly sourceSize: number | undefined;
  readonly #packed: DescriptorSource;
  readonly #unpacked: Readable;
  readonly #pieces: RdbPullSource;
  #bytes = 0;

  constructor(packed: DescriptorSource, packing: 'gzip' | 'zstd', unpacked: ReturnType<Unpack>) {
    this.name = packed.name;
    this.packing = packing;
    this.sourceSize = packed.sourceSize;
    this.#packed = packed;
    this.#unpacked = unpacked;
    // what fails before anybody reads is told to who reads then
    unpacked.on('error', () => {});
    feed(packed.pieces(), unpacked).catch((error) => unpacked.destroy(error));
    this.#pieces = pullSource(unpacked as AsyncIterable<Uint8Array>);
  }

  get canReopen(): boolean {
    return this.#packed.canReopen;
  }

  get followers(): readonly Follower[] {
    return this.#packed.followers;
  }

  position(): number {
    return this.#packed.position();
  }

  async pull(into: Uint8Array): Promise<number> {
    try {
      const length = await this.#pieces.pull(into);
      this.#bytes += length;
      return length;
    } catch (error) {
      if (error instanceof RespiteError) throw error;
      const offset = this.#bytes;
      const reason = `the ${this.packing} data is damaged: ${(error as Error).message}`;
      const message = `The RDB is damaged at offset ${offset}: ${reason}`;
      throw new RespiteError('ERR_RESPITE_RDB_FORMAT', message, {
        cause: error,
        details: { offset, reason },
      });
    }
  }

  close(): void {
    // whoever waits for either is answered
    this.#unpacked.destroy();
    this.#packed.close();
  }
}

async function openAny(source: DescriptorSource, signal?: AbortSignal): Promise<OpenedSource> {
  const onAbort = (): void => source.close();
  signal?.addEventListener('abort', onAbort);
  try {
    const head = Buffer.from(await source.peek());
    if (head[0] === 0x1f && head[1] === 0x8b) {
      return new UnpackedSource(source, 'gzip', (await unpacker('gzip'))!);
    }
    if (head.length >= 4 && head.readUInt32LE() === 0xfd2fb528) {
      const unpacked = await unpacker('zstd');
      if (unpacked !== undefined) return new UnpackedSource(source, 'zstd', unpacked);
      const reason = `zstd is not part of Node.js ${process.versions.node}, but of 22.15 and later`;
      const file = source.name === '-' ? 'FILE' : source.name;
      throw unreadable(source.name, `${reason}; or: zstd -dc ${file} | respite rdb … -`);
    }
    if (/^\*\d+\r\n\$/.test(head.toString('latin1'))) {
      throw unreadable(source.name, 'it is an append-only file without an RDB in front');
    }
    return source;
  } catch (error) {
    source.close();
    throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Opens the base file of a folder with a multi-part append-only file. */
function openBase(folder: string): DescriptorSource {
  const manifest = fs.readdirSync(folder).find((name) => name.endsWith('.manifest'));
  if (manifest === undefined) throw unreadable(folder, 'it is a directory');
  const lines = fs.readFileSync(path.join(folder, manifest), 'latin1').split('\n');
  const named = (type: string): string[] =>
    lines.flatMap((line) => {
      const name = /^file (?:"(.*)"|(\S+))/.exec(line);
      const isOf = name !== null && new RegExp(`\\btype ${type}\\b`).test(line);
      return isOf ? [name[1] ?? name[2]!] : [];
    });
  const [base] = named('b');
  if (base === undefined) throw unreadable(folder, 'its append-only file has no base');
  const followers = named('i').map((name) => {
    const bytes = fs.statSync(path.join(folder, name), { throwIfNoEntry: false })?.size;
    return { name, bytes };
  });
  const file = path.join(folder, base);
  try {
    return new DescriptorSource(file, fs.openSync(file, 'r'), followers);
  } catch (error) {
    throw unreadable(folder, `its base file ${base}: ${plainReason(error)}`, error);
  }
}

/**
 * Opens a file: an RDB, one packed with gzip or zstd, an append-only file with an RDB in front, or
 * the folder of a multi-part one. Rejects with ERR_RESPITE_IO. Whoever reads it to its end or
 * calls `close` closes it; before it resolves, `signal` does.
 */
export async function openRdbFile(name: string, signal?: AbortSignal): Promise<OpenedSource> {
  let source: DescriptorSource;
  try {
    const stat = fs.statSync(name);
    if (stat.isDirectory()) {
      source = openBase(name);
    } else {
      const fd = stat.isFIFO() ? await openWithoutWaiting(name) : fs.openSync(name, 'r');
      source = new DescriptorSource(name, fd);
    }
  } catch (error) {
    if (error instanceof RespiteError) throw error;
    throw unreadable(name, plainReason(error), error);
  }
  return openAny(source, signal);
}

/** The same for standard input, which stays open. */
export async function openRdbDescriptor(fd: number, signal?: AbortSignal): Promise<OpenedSource> {
  try {
    return await openAny(new DescriptorSource('-', fd), signal);
  } catch (error) {
    throw error instanceof RespiteError ? error : unreadable('-', (error as Error).message, error);
  }
}
