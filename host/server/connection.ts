// One client's socket joined to one client of the core: bytes in, one call, replies out from where
// they lie. This file is the hot path of the host: nothing here is done per command.

import {
  CLIENT_UNIX,
  type Core,
  STATUS_CLOSE_AFTER_REPLY,
  STATUS_CLOSE_NOW,
  STATUS_DEADLINES,
  STATUS_HOST_BUSY,
  STATUS_OUTPUT,
  STATUS_OUTPUT_FULL,
  STATUS_OVER_LIMIT,
  STATUS_RESUME,
} from '../core/core.js';
import type { Connection } from '../platform/platform.js';

/** Replies waiting for a slow reader beyond this stop the reading of its commands. */
const PENDING_MAX = 1 << 20;

/** What a connection needs of its server. */
export interface ConnectionOwner {
  readonly core: Core;
  readonly counters: { reads: number; writes: number };
  nowMs(): number;
  /** Calls back after pending I/O had its turn. */
  defer(fn: () => void): void;
  /** Clients other than the one just fed have something to send or are to be closed. */
  drainSoon(): void;
  /** The core has new deadlines. */
  armDeadlines(): void;
  /** The connection is gone; its handle is free. */
  onClosed(connection: ClientConnection): void;
  /** A client was closed for not reading what it was sent. */
  onOutputLimit(address: string): void;
}

export class ClientConnection {
  readonly handle: number;
  readonly #owner: ConnectionOwner;
  readonly #socket: Connection;
  /** The socket still holds a reply block: no other may be handed to it. */
  #held = 0;
  #paused = false;
  /** `resume` is going to be called. */
  #resuming = false;
  #closed = false;
  /** Unix ms of the last received byte. */
  lastInputMs: number;

  constructor(owner: ConnectionOwner, socket: Connection) {
    this.#owner = owner;
    this.#socket = socket;
    this.lastInputMs = owner.nowMs();
    owner.core.x.setTime(this.lastInputMs);
    const flags = socket.isUnix ? CLIENT_UNIX : 0;
    this.handle = owner.core.openClient(flags, socket.remoteAddress, socket.localAddress);
    const core = owner.core;
    socket.start({
      buffer: core.reserved ? core.readBuffer : () => core.readBuffer,
      onRead: (n) => this.#onRead(n),
      onClose: () => this.#onClose(),
    });
  }

  #onRead(n: number): void {
    if (this.#closed) return;
    const owner = this.#owner;
    const now = owner.nowMs();
    this.lastInputMs = now;
    owner.counters.reads++;
    this.#after(owner.core.x.feed(this.handle, n, now));
    if (owner.core.x.readyClients() !== 0) owner.drainSoon();
  }

  /** Goes on after a host command is done. */
  resume(): void {
    if (this.#closed) return;
    const owner = this.#owner;
    this.#after(owner.core.x.resume(this.handle, owner.nowMs()));
    if (owner.core.x.readyClients() !== 0) owner.drainSoon();
  }

  #resumeSoon(): void {
    if (this.#resuming) return;
    this.#resuming = true;
    this.#owner.defer(() => {
      this.#resuming = false;
      this.resume();
    });
  }

  /** Sends what is there and closes if the core says so. */
  attend(): void {
    if (!this.#closed) this.#after(this.#owner.core.x.clientStatus(this.handle));
  }

  #after(status: number): void {
    if (status & STATUS_CLOSE_NOW) {
      if (status & STATUS_OVER_LIMIT) this.#owner.onOutputLimit(this.#socket.remoteAddress);
      this.#socket.destroy();
      // Redis: who is killed is gone at once, whenever the socket says so.
      this.#onClose();
      return;
    }
    if (status & STATUS_OUTPUT) this.#flush();
    if (status & STATUS_DEADLINES) this.#owner.armDeadlines();
    if (status & (STATUS_OUTPUT_FULL | STATUS_RESUME) && this.#held === 0) {
      // Not from here: a long pipeline, or two that unblock each other, would go one level deeper
      // with each piece.
      this.#pause();
      this.#resumeSoon();
    } else if (status & STATUS_CLOSE_AFTER_REPLY && this.#held === 0) this.#socket.end();
    else if (status & (STATUS_HOST_BUSY | STATUS_OUTPUT_FULL)) this.#pause();
    else if (this.#paused && this.#held === 0) this.#unpause();
  }

  /** Hands reply blocks to the socket until there are none or it cannot take more. */
  #flush(): void {
    const { core } = this.#owner;
    const x = core.x;
    while (this.#held === 0) {
      const block = x.takeReply(this.handle) >>> 0;
      if (block === 0) return;
      this.#owner.counters.writes++;
      if (this.#socket.write(core.blockView(block), this.#onFlushed)) {
        x.recycleReply(block);
      } else {
        this.#held = block;
        if (this.#socket.pendingBytes > PENDING_MAX) this.#pause();
      }
    }
    // Replies go on gathering in the core: a reader this slow sends no more commands for a while.
    this.#pause();
  }

  readonly #onFlushed = (): void => {
    this.#owner.core.x.recycleReply(this.#held);
    this.#held = 0;
    if (!this.#closed) this.#after(this.#owner.core.x.clientStatus(this.handle) | STATUS_OUTPUT);
  };

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pauseReads();
  }

  #unpause(): void {
    this.#paused = false;
    this.#socket.resumeReads();
  }

  /** Closes after what was written; for shutdown. */
  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #onClose(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#owner.core.x.clientClose(this.handle);
    this.#owner.onClosed(this);
  }
}
