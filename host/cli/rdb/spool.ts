// A source that can be read once (standard input, a live server), kept in a temporary file when it
// is needed again.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { RespiteError } from '../../errors.js';
import { pullSource, type RdbSource } from '../../rdb/source.js';
import { orGivenUp } from '../../rdb/waiting.js';
import type { Job } from './common.js';
import { forgetOnExit, removeOnExit } from './leftovers.js';

const PIECE_BYTES = 1 << 18;

/** One for each of the job's sources. */
export function spoolsOf(job: Job): Spool[] {
  if (job.sources.filter((name) => name === '-').length > 1) {
    const message = 'Standard input cannot be several sources';
    throw new RespiteError('ERR_RESPITE_INVALID_CONFIG', message);
  }
  return job.sources.map((name) => new Spool(job, name));
}

export class Spool {
  readonly #job: Job;
  readonly #name: string;
  #folder: string | undefined;

  constructor(job: Job, name: string) {
    this.#job = job;
    this.#name = name;
  }

  /** Opens the source; `isAgain`: not for the last time. */
  async open(isAgain: boolean): Promise<RdbSource> {
    if (this.#folder === undefined && isAgain && !this.#isFile()) await this.#keep();
    return this.#job.open(this.#folder === undefined ? this.#name : this.#file, this.#name);
  }

  /** Not a pipe under a name, as the shell makes of <(command). */
  #isFile(): boolean {
    if (this.#name === '-' || this.#name.includes('://')) return false;
    const stat = fs.statSync(this.#name, { throwIfNoEntry: false });
    return stat === undefined || stat.isFile() || stat.isDirectory();
  }

  get #file(): string {
    return path.join(this.#folder!, 'dump.rdb');
  }

  async #keep(): Promise<void> {
    const source = pullSource(await this.#job.open(this.#name));
    const piece = new Uint8Array(PIECE_BYTES);
    try {
      this.#folder = fs.mkdtempSync(path.join(os.tmpdir(), 'respite-'));
      removeOnExit(this.#folder);
      this.#job.note(`${this.#name} is needed again: kept in ${this.#folder} meanwhile`);
      const fd = fs.openSync(this.#file, 'wx', 0o600);
      try {
        for (;;) {
          if (this.#job.signal.aborted) throw new RespiteError('ERR_RESPITE_ABORTED');
          const length = await orGivenUp(Promise.resolve(source.pull(piece)), this.#job);
          if (length === 0) break;
          for (let at = 0; at < length; ) at += fs.writeSync(fd, piece, at, length - at);
        }
      } finally {
        fs.closeSync(fd);
      }
    } catch (error) {
      if (error instanceof RespiteError) throw error;
      const message = `Cannot keep ${this.#name} for reading it again: ${(error as Error).message}`;
      throw new RespiteError('ERR_RESPITE_IO', message, { cause: error });
    } finally {
      await source.close?.();
    }
  }

  /** Removes what was kept. */
  close(): void {
    if (this.#folder === undefined) return;
    fs.rmSync(this.#folder, { recursive: true, force: true });
    forgetOnExit(this.#folder);
    this.#folder = undefined;
  }
}
