// Where a command's output goes: standard output, or a file that appears under its name only when
// it is whole.

import fs from 'node:fs';
import path from 'node:path';
import { RespiteError } from '../../errors.js';
import { plainReason } from '../../persistence/rdb-source.js';
import type { RdbIo } from './io.js';

/** Whoever read our output has gone: the end, and nothing to complain about. */
export class OutputClosed extends Error {}

export interface Output {
  /** `-` or the path. */
  readonly name: string;
  /** Bytes may be a view of linear memory: they are written when the result settles. */
  write(data: Uint8Array | string): void | Promise<void>;
  /** Makes the file appear. */
  commit(): Promise<void>;
  /** Takes back what can be taken back. */
  discard(): void;
}

const encoder = new TextEncoder();
const bytesOf = (data: Uint8Array | string) =>
  typeof data === 'string' ? encoder.encode(data) : data;

function failure(name: string, error: unknown): Error {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EPIPE') return new OutputClosed();
  const text = `Cannot write to ${name === '-' ? 'standard output' : name}: ${plainReason(error)}`;
  return new RespiteError('ERR_RESPITE_IO', text, { cause: error, details: { path: name } });
}

function writeAll(name: string, fd: number, bytes: Uint8Array): void {
  try {
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
  } catch (error) {
    throw failure(name, error);
  }
}

class StandardOutput implements Output {
  readonly name = '-';
  readonly #io: RdbIo;

  constructor(io: RdbIo) {
    this.#io = io;
  }

  write(data: Uint8Array | string): void | Promise<void> {
    try {
      const written = this.#io.write(bytesOf(data));
      return written?.catch((error: unknown) => {
        throw failure(this.name, error);
      });
    } catch (error) {
      throw failure(this.name, error);
    }
  }

  async commit(): Promise<void> {}
  discard(): void {}
}

class FileOutput implements Output {
  readonly name: string;
  readonly #temp: string;
  #fd: number;

  constructor(name: string) {
    this.name = name;
    const base = `.${path.basename(name)}.${process.pid}.tmp`;
    this.#temp = path.join(path.dirname(name), base);
    try {
      this.#fd = fs.openSync(this.#temp, 'w');
    } catch (error) {
      throw failure(name, error);
    }
  }

  write(data: Uint8Array | string): void {
    writeAll(this.name, this.#fd, bytesOf(data));
  }

  async commit(): Promise<void> {
    try {
      fs.fsyncSync(this.#fd);
      this.#close();
      fs.renameSync(this.#temp, this.name);
    } catch (error) {
      this.discard();
      throw failure(this.name, error);
    }
  }

  discard(): void {
    this.#close();
    fs.rmSync(this.#temp, { force: true });
  }

  #close(): void {
    if (this.#fd >= 0) fs.closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** A device, a pipe or a socket is written as it is: it cannot be renamed. */
export function isSpecial(name: string): boolean {
  const stat = fs.statSync(name, { throwIfNoEntry: false });
  return stat !== undefined && !stat.isFile() && !stat.isDirectory();
}

class SpecialOutput implements Output {
  readonly name: string;
  readonly #fd: number;

  constructor(name: string) {
    this.name = name;
    try {
      this.#fd = fs.openSync(name, 'w');
    } catch (error) {
      throw failure(name, error);
    }
  }

  write(data: Uint8Array | string): void {
    writeAll(this.name, this.#fd, bytesOf(data));
  }

  async commit(): Promise<void> {
    fs.closeSync(this.#fd);
  }
  discard(): void {
    fs.closeSync(this.#fd);
  }
}

/** Opens what `-o` names; nothing or `-` is standard output. */
export function openOutput(io: RdbIo, name: string | undefined): Output {
  if (name === undefined || name === '-') return new StandardOutput(io);
  return isSpecial(name) ? new SpecialOutput(name) : new FileOutput(name);
}
