// The command stream of the master: a client of the core like any other, with the master's flag.
// Nothing here is done per command. The core counts what was applied (assembly/clients/master.ts);
// this file opens the client where the stream goes on, feeds it and reads its place.

import {
  CLIENT_AUTHENTICATED,
  CLIENT_MASTER,
  type Core,
  STATUS_CLOSE_AFTER_REPLY,
  STATUS_CLOSE_NOW,
  STATUS_HOST_BUSY,
} from '../core/core.js';
import { RespiteError } from '../errors.js';
import type { Position } from './psync.js';
import { encodeRequest } from './wire.js';

export class MasterStream {
  readonly handle: number;
  readonly #core: Core;
  readonly #replid: string;
  #isOpen = true;
  /** The stream cannot be trusted any more: nothing may go on from its place. */
  isBroken = false;

  constructor(core: Core, from: Position, address: string, localAddress: string) {
    this.#core = core;
    this.#replid = from.replid;
    this.handle = core.openClient(CLIENT_MASTER | CLIENT_AUTHENTICATED, address, localAddress);
    if (core.x.masterStart(this.handle, from.db, from.offset) === 0) {
      core.x.clientClose(this.handle);
      throw new RespiteError(
        'ERR_RESPITE_PROTOCOL',
        `The stream of the master is in database ${from.db}, which does not exist here`,
      );
    }
  }

  /** Bytes applied: what is acknowledged. */
  get offset(): number {
    return this.#core.x.masterOffset(this.handle);
  }

  /** Bytes received in whole commands. */
  get readOffset(): number {
    return this.#core.x.masterReadOffset(this.handle);
  }

  /** Where a new connection would go on. A transaction not yet executed is not part of it. */
  get position(): Position {
    return {
      replid: this.#replid,
      offset: this.offset,
      db: this.#core.x.masterDb(this.handle),
    };
  }

  /** Runs bytes of the read buffer. True: nothing may be fed until `resume` (a host command). */
  feed(ptr: number, len: number, nowMs: number): boolean {
    return this.#after(this.#core.x.feedAt(this.handle, ptr, len, nowMs));
  }

  /** Goes on after a host command is done. */
  resume(nowMs: number): boolean {
    return this.#after(this.#core.x.resume(this.handle, nowMs));
  }

  #after(status: number): boolean {
    if (status & STATUS_CLOSE_AFTER_REPLY) {
      this.isBroken = true;
      throw new RespiteError(
        'ERR_RESPITE_PROTOCOL',
        `The stream of the master is not the protocol behind offset ${this.readOffset}`,
        { details: { offset: this.readOffset } },
      );
    }
    if (status & STATUS_CLOSE_NOW) {
      throw new RespiteError('ERR_RESPITE_CLOSED', 'The core closed the link to the master');
    }
    return (status & STATUS_HOST_BUSY) !== 0;
  }

  /** Frees the client: an open transaction and half a command are forgotten. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#core.x.clientClose(this.handle);
  }
}

/** REPLCONF ACK: the offset applied. */
export function ackRequest(offset: number): Uint8Array {
  return encodeRequest(['REPLCONF', 'ACK', String(offset)]);
}
