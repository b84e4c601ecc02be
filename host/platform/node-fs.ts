// Files over node:fs. Thin on purpose: loops for short reads and writes, limits, and the two or
// three calls durability needs (fsync of file and directory), nothing else.

import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { FileHandle, FileStat, Fs, OpenMode } from './platform.js';

const READ_FILE_MAX = 64 * 1024 * 1024;

const openAsync = promisify(fs.open);
const closeAsync = promisify(fs.close);
const fsyncAsync = promisify(fs.fsync);
const fstatAsync = promisify(fs.fstat);
const ftruncateAsync = promisify(fs.ftruncate);

function toStat(stat: fs.Stats): FileStat {
  return {
    sizeBytes: stat.size,
    modifiedMs: Math.trunc(stat.mtimeMs),
    isFile: stat.isFile(),
    isDirectory: stat.isDirectory(),
  };
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

class NodeFile implements FileHandle {
  readonly path: string;
  #fd: number;

  constructor(fd: number, filePath: string) {
    this.#fd = fd;
    this.path = filePath;
  }

  read(into: Uint8Array, position?: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, into, 0, into.length, position ?? null, (error, n) => {
        if (error) reject(error);
        else resolve(n);
      });
    });
  }

  async write(data: Uint8Array, position?: number): Promise<void> {
    let done = 0;
    while (done < data.length) {
      const at = position === undefined ? null : position + done;
      done += await new Promise<number>((resolve, reject) => {
        fs.write(this.#fd, data, done, data.length - done, at, (error, n) => {
          if (error) reject(error);
          else resolve(n);
        });
      });
    }
  }

  writeSync(data: Uint8Array): void {
    let done = 0;
    while (done < data.length) done += fs.writeSync(this.#fd, data, done, data.length - done);
  }

  sync(): Promise<void> {
    return fsyncAsync(this.#fd);
  }

  syncSync(): void {
    fs.fsyncSync(this.#fd);
  }

  truncate(sizeBytes: number): Promise<void> {
    return ftruncateAsync(this.#fd, sizeBytes);
  }

  async stat(): Promise<FileStat> {
    return toStat(await fstatAsync(this.#fd));
  }

  /** A second close is harmless: the descriptor may belong to someone else by then. */
  async close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = -1;
    if (fd >= 0) await closeAsync(fd);
  }

  closeSync(): void {
    const fd = this.#fd;
    this.#fd = -1;
    if (fd >= 0) fs.closeSync(fd);
  }
}

async function open(file: string, mode: OpenMode, permissions?: number): Promise<FileHandle> {
  return new NodeFile(await openAsync(file, mode, permissions), file);
}

async function syncDirectory(directory: string): Promise<void> {
  const fd = await openAsync(directory, 'r');
  try {
    await fsyncAsync(fd);
  } finally {
    await closeAsync(fd);
  }
}

function tooLarge(file: string, size: number, maxBytes: number): Error {
  return Object.assign(new Error(`${file} has ${size} bytes, more than the ${maxBytes} allowed`), {
    code: 'EFBIG',
  });
}

async function readFile(file: string, maxBytes = READ_FILE_MAX): Promise<Uint8Array> {
  const { size } = await fs.promises.stat(file);
  if (size > maxBytes) throw tooLarge(file, size, maxBytes);
  return fs.promises.readFile(file);
}

function readFileSync(file: string, maxBytes = READ_FILE_MAX): Uint8Array {
  const { size } = fs.statSync(file);
  if (size > maxBytes) throw tooLarge(file, size, maxBytes);
  return fs.readFileSync(file);
}

async function readInto(
  file: string,
  buffer: Uint8Array,
  onChunk: (n: number) => void | Promise<void>,
): Promise<number> {
  const handle = await open(file, 'r');
  let total = 0;
  try {
    for (;;) {
      const n = await handle.read(buffer);
      if (n === 0) return total;
      total += n;
      await onChunk(n);
    }
  } finally {
    await handle.close();
  }
}

export const nodeFs: Fs = {
  open,
  openSync: (file, mode, permissions) => new NodeFile(fs.openSync(file, mode, permissions), file),
  rename: (from, to) => fs.promises.rename(from, to),
  renameSync: (from, to) => fs.renameSync(from, to),
  unlink: (file) => fs.promises.rm(file, { force: true }),
  stat: (file) =>
    fs.promises.stat(file).then(toStat, (error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    }),
  statSync: (file) => {
    const stat = fs.statSync(file, { throwIfNoEntry: false });
    return stat === undefined ? undefined : toStat(stat);
  },
  mkdir: (directory) => fs.promises.mkdir(directory, { recursive: true }).then(() => {}),
  list: async (directory) => (await fs.promises.readdir(directory)).sort(),
  syncDirectory,
  readFile,
  readFileSync,
  writeFile: (file, data, permissions) => fs.promises.writeFile(file, data, { mode: permissions }),
  readInto,
  resolve: (...parts) => path.resolve(...parts),
};
