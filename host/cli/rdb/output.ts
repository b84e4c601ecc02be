// Where a command's output goes: standard output, or a file that appears under its name only when
// it is whole. Links are followed, and what stands there keeps its mode.

import fs from 'node:fs';
import path from 'node:path';
import { RespiteError } from '../../errors.js';
import { plainReason } from '../../persistence/rdb-source.js';
import { type RdbIo, writeDescriptor } from './io.js';
import { forgetOnExit, removeOnExit } from './leftovers.js';

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

function writeAll(name: string, fd: number, bytes: Uint8Array): void | Promise<void> {
  try {
    return writeDescriptor(fd, bytes)?.catch((error: unknown) => {
      throw failure(name, error);
    });
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
  readonly #target: string;
  readonly #temp: string;
  #fd: number;

  /** `target`: where it is to appear; `before`: what stands there. */
  constructor(name: string, target: string, before: fs.Stats | undefined) {
    this.name = name;
    this.#target = target;
    const base = `.${path.basename(target)}.${process.pid}.tmp`;
    this.#temp = path.join(path.dirname(target), base);
    try {
      this.#fd = fs.openSync(this.#temp, 'w', before === undefined ? 0o666 : 0o600);
    } catch (error) {
      throw failure(name, error);
    }
    removeOnExit(this.#temp);
    if (before !== undefined) this.#resemble(before);
  }

  write(data: Uint8Array | string): void | Promise<void> {
    return writeAll(this.name, this.#fd, bytesOf(data));
  }

  async commit(): Promise<void> {
    try {
      fs.fsyncSync(this.#fd);
      this.#close();
      fs.renameSync(this.#temp, this.#target);
      forgetOnExit(this.#temp);
    } catch (error) {
      this.discard();
      throw failure(this.name, error);
    }
  }

  discard(): void {
    this.#close();
    fs.rmSync(this.#temp, { force: true });
    forgetOnExit(this.#temp);
  }

  /** The mode of what is replaced, and its owner where we may. */
  #resemble({ mode, uid, gid }: fs.Stats): void {
    const own = fs.fstatSync(this.#fd);
    try {
      if (own.uid !== uid || own.gid !== gid) fs.fchownSync(this.#fd, uid, gid);
    } catch {
      // only root gives files away
    }
    fs.fchmodSync(this.#fd, mode & 0o7777);
  }

  #close(): void {
    if (this.#fd >= 0) fs.closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** A device, a pipe, a socket or a descriptor, written as it is: it cannot be renamed. */
class SpecialOutput implements Output {
  readonly name: string;
  readonly #fd: number;
  readonly #ownsFd: boolean;

  constructor(name: string, fd?: number) {
    this.name = name;
    this.#ownsFd = fd === undefined;
    try {
      this.#fd = fd ?? fs.openSync(name, 'w');
    } catch (error) {
      throw failure(name, error);
    }
  }

  write(data: Uint8Array | string): void | Promise<void> {
    return writeAll(this.name, this.#fd, bytesOf(data));
  }

  async commit(): Promise<void> {
    if (this.#ownsFd) fs.closeSync(this.#fd);
  }
  discard(): void {
    if (this.#ownsFd) fs.closeSync(this.#fd);
  }
}

const LINKS_MAX = 40;
const STANDARD = ['stdin', 'stdout', 'stderr'];

/** The descriptor that a path without links in its folders is a name of; -1: of a process. */
function descriptorOf(at: string): number | undefined {
  const own = /^\/dev\/(?:fd\/(\d+)|(stdin|stdout|stderr))$/.exec(at);
  if (own !== null) return own[1] === undefined ? STANDARD.indexOf(own[2]!) : Number(own[1]);
  const some = /^\/proc\/(\d+)\/(?:task\/\d+\/)?fd\/(\d+)$/.exec(at);
  if (some === null) return undefined;
  return Number(some[1]) === process.pid ? Number(some[2]) : -1;
}

/** Where a name leads: to a descriptor, or to a path that is no link. */
function follow(name: string): { path: string; fd?: number | undefined } {
  let at = name;
  for (let links = 0; links < LINKS_MAX; links++) {
    const folder = fs.realpathSync(path.dirname(at));
    at = path.join(folder, path.basename(at));
    const fd = descriptorOf(at);
    if (fd !== undefined) return { path: at, fd };
    if (!fs.lstatSync(at, { throwIfNoEntry: false })?.isSymbolicLink()) return { path: at };
    at = path.resolve(folder, fs.readlinkSync(at));
  }
  throw new Error('too many symbolic links');
}

/**
 * What two names are one file by; `-` is standard output. Undefined: a device or a pipe, which may
 * be written twice.
 */
export function outputKey(name: string): string | undefined {
  if (name === '-') return name;
  try {
    const { path: at, fd } = follow(name);
    if (fd !== undefined) return fd === 1 ? '-' : undefined;
    return fs.statSync(at, { throwIfNoEntry: false })?.isFile() === false ? undefined : at;
  } catch {
    // whoever opens it is told why that fails
    return path.resolve(name);
  }
}

function openNamed(io: RdbIo, name: string): Output {
  const { path: at, fd } = follow(name);
  if (fd === 1) return new StandardOutput(io);
  if (fd !== undefined) return new SpecialOutput(name, fd < 0 ? undefined : fd);
  const before = fs.statSync(at, { throwIfNoEntry: false });
  if (before?.isDirectory() === true) throw new Error('it is a directory');
  const isSpecial = before !== undefined && !before.isFile();
  return isSpecial ? new SpecialOutput(name) : new FileOutput(name, at, before);
}

/** Opens what `-o` names; nothing or `-` is standard output. */
export function openOutput(io: RdbIo, name: string | undefined): Output {
  if (name === undefined || name === '-') return new StandardOutput(io);
  try {
    return openNamed(io, name);
  } catch (error) {
    throw error instanceof RespiteError ? error : failure(name, error);
  }
}
