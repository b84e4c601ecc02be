// Opens what a command reads: a file, standard input (`-`) or a live server (`redis://…`).

import fs from 'node:fs';
import { RespiteError } from '../../errors.js';
import type { RdbPullSource } from '../../rdb/source.js';
import type { RdbIo } from './io.js';

export interface OpenSource {
  /** As the user named it, secrets removed. */
  readonly name: string;
  readonly rdb: RdbPullSource;
  /** All bytes of what `position` counts, where that is known. */
  readonly size: number | undefined;
  /** Bytes of the source that were read (of a compressed one: compressed bytes). */
  position(): number;
}

/** The source cannot be read: exit code 3. */
export function unreadable(name: string, reason: string, cause?: unknown): RespiteError {
  const shown = name === '-' ? 'standard input' : name;
  return new RespiteError('ERR_RESPITE_IO', `Cannot read ${shown}: ${reason}`, {
    cause,
    details: { path: name },
  });
}

function openFile(name: string): { fd: number; size: number | undefined } {
  try {
    const fd = fs.openSync(name, 'r');
    const stat = fs.fstatSync(fd);
    if (stat.isDirectory()) {
      fs.closeSync(fd);
      throw new Error('it is a directory');
    }
    return { fd, size: stat.isFile() ? stat.size : undefined };
  } catch (error) {
    throw unreadable(name, (error as Error).message, error);
  }
}

/** So long may reading go on before signals and timers get their turn. */
const TURN_MS = 50;

/** A descriptor, read straight into the memory given. */
class FileSource implements OpenSource, RdbPullSource {
  readonly name: string;
  readonly size: number | undefined;
  readonly rdb: RdbPullSource = this;
  #fd: number;
  #position = 0;
  #turnMs = performance.now();

  constructor(name: string, fd: number, size: number | undefined) {
    this.name = name;
    this.#fd = fd;
    this.size = size;
  }

  position(): number {
    return this.#position;
  }

  pull(into: Uint8Array): number | Promise<number> {
    if (this.size === undefined) return this.#pullAside(into);
    const now = performance.now();
    if (now - this.#turnMs < TURN_MS) return this.#read(into);
    this.#turnMs = now;
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#read(into));
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

  /** Pipes and terminals: another thread waits for them. */
  #pullAside(into: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, into, 0, into.length, null, (error, length) => {
        if ((error as NodeJS.ErrnoException | null)?.code === 'EAGAIN') {
          setTimeout(() => this.#pullAside(into).then(resolve, reject), 5);
        } else if (error) {
          reject(unreadable(this.name, error.message, error));
        } else {
          this.#position += length;
          resolve(length);
        }
      });
    });
  }

  close(): void {
    if (this.#fd > 2) fs.closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** Opens a source by its name; throws ERR_RESPITE_IO, _CONNECTION, _AUTH … */
export async function openSource(io: RdbIo, name: string): Promise<OpenSource> {
  if (name === '-') {
    const stat = fs.fstatSync(io.stdin);
    return new FileSource(name, io.stdin, stat.isFile() ? stat.size : undefined);
  }
  const { fd, size } = openFile(name);
  return new FileSource(name, fd, size);
}
