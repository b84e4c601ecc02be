// The payload of a full synchronisation: its header, the RDB, and where the command stream behind
// it begins. Two forms:
//
//   $<length>\r\n <RDB>                       nothing behind it
//   $EOF:<40 bytes>\r\n <RDB> <40 bytes>      length unknown, the mark repeated at the end
//
// Empty lines before either are signs of life. The end of the RDB is found by reading it (opcode
// 255 and its checksum), never by searching for the mark, which may occur in the data.

import type { Core } from '../core/core.js';
import { RespiteError } from '../errors.js';
import { loadError, type RdbSink, SINK_DONE, SINK_FAILED } from './sink.js';

const MARK_BYTES = 40;
const EOF_HEADER = /^\$EOF:(.{40})$/;
const LENGTH_HEADER = /^\$(\d{1,15})$/;

export interface PayloadHeader {
  /** Bytes of the RDB; absent when only the mark tells its end. */
  length?: number;
  mark?: string;
}

/** Reads the line in front of the RDB; throws for an abort of the master or anything strange. */
export function readPayloadHeader(line: string): PayloadHeader {
  const mark = EOF_HEADER.exec(line)?.[1];
  if (mark !== undefined) return { mark };
  const length = LENGTH_HEADER.exec(line)?.[1];
  if (length !== undefined) return { length: Number(length) };
  if (line.startsWith('-')) {
    throw new RespiteError(
      'ERR_RESPITE_SYNC',
      `The master gave up the full synchronisation: ${line.slice(1, 257)}`,
      { details: { phase: 'transfer', retries: 0 } },
    );
  }
  throw new RespiteError(
    'ERR_RESPITE_PROTOCOL',
    `The master sent ${JSON.stringify(line.slice(0, 64))} where the RDB should begin`,
    { details: { data: line.slice(0, 64) } },
  );
}

export class Transfer {
  readonly header: PayloadHeader;
  readonly #core: Core;
  readonly #sink: RdbSink;
  /** Bytes of the payload so far, the mark not counted. */
  bytes = 0;
  #isLoaded = false;
  #markBytes = 0;

  constructor(core: Core, sink: RdbSink, header: PayloadHeader) {
    this.#core = core;
    this.#sink = sink;
    this.header = header;
  }

  /** The RDB is whole and so is what belongs behind it. */
  get isDone(): boolean {
    if (!this.#isLoaded) return false;
    const { length } = this.header;
    return length === undefined ? this.#markBytes === MARK_BYTES : this.bytes === length;
  }

  /**
   * Takes bytes at an address of linear memory; gives how many belong to the payload. Throws when
   * the RDB is damaged, does not fit, or does not end where the master said.
   */
  feed(ptr: number, len: number, nowMs: number): number {
    let used = 0;
    if (!this.#isLoaded) used = this.#feedRdb(ptr, len, nowMs);
    if (this.#isLoaded && used < len) used += this.#feedRest(ptr + used, len - used);
    return used;
  }

  #feedRdb(ptr: number, len: number, nowMs: number): number {
    const { length } = this.header;
    const n = length === undefined ? len : Math.min(len, length - this.bytes);
    const answer = n === 0 ? 0 : this.#sink.feed(ptr, n, nowMs);
    if (answer === SINK_FAILED) throw loadError(this.#sink);
    const used = answer === SINK_DONE ? this.#sink.consumed() : n;
    this.bytes += used;
    if (answer === SINK_DONE) this.#isLoaded = true;
    else if (this.bytes === length) throw this.#tooShort();
    return used;
  }

  #feedRest(ptr: number, len: number): number {
    const { length, mark } = this.header;
    if (length !== undefined) {
      // Redis: what stands behind the checksum in a file is not looked at.
      const n = Math.min(len, length - this.bytes);
      this.bytes += n;
      return n;
    }
    const n = Math.min(len, MARK_BYTES - this.#markBytes);
    const bytes = this.#core.view(ptr, n);
    for (let i = 0; i < n; i++) {
      if (bytes[i] !== (mark as string).charCodeAt(this.#markBytes + i)) throw this.#badMark();
    }
    this.#markBytes += n;
    return n;
  }

  #tooShort(): RespiteError {
    const offset = this.bytes;
    const reason = 'the RDB is not complete within the length the master announced';
    return new RespiteError(
      'ERR_RESPITE_RDB_FORMAT',
      `The RDB is damaged at offset ${offset}: ${reason}`,
      { details: { offset, reason } },
    );
  }

  #badMark(): RespiteError {
    const offset = this.bytes;
    const reason = 'the end mark of the transfer does not follow the RDB';
    return new RespiteError(
      'ERR_RESPITE_RDB_FORMAT',
      `The transfer is damaged at offset ${offset}: ${reason}`,
      { details: { offset, reason } },
    );
  }
}
