// One client's socket joined to one client of the core: bytes in, one call, replies out from where
// they lie. This file is the hot path of the host: nothing here is done per command.

import type { OutputLimit } from '../config/index.js';
import {
  CLIENT_UNIX,
  type Core,
  STATUS_CLOSE_AFTER_REPLY,
  STATUS_CLOSE_NOW,
  STATUS_DEADLINES,
  STATUS_HOST_BUSY,
  STATUS_OUTPUT,
  STATUS_OUTPUT_FULL,
  STATUS_RESUME,
} from '../core/core.js';
import type { Connection } from '../platform/platform.js';

/** Replies waiting for a slow reader beyond this stop the reading of its commands. */
const PENDING_MAX = 1 << 20;

/** What a connection needs of its server. */
export interface ConnectionOwner {
  readonly core: Core;
  nowMs(): number;
  /** Calls back after pending I/O had its turn. */
  defer(fn: () => void): void;
  /** Clients other than the one just fed have something to send or are to be closed. */
  drainReady(): void;
  /** The core has new deadlines. */
  armDeadlines(): void;
  /** The connection is gone; its handle is free. */
  onClosed(connection: ClientConnection): void;
  /** client-output-buffer-limit for this kind of client. */
  readonly outputLimit: OutputLimit;
  /** A client was closed for not reading its replies. */
  onOutputLimit(connection: ClientConnection, bytes: number): void;
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
  /** Since when the output is above the soft limit, unix ms; 0 = it is not. */
  #aboveSoftMs = 0;
  /** Unix ms of the last received byte. */
  lastInputMs: number;

  constructor(owner: ConnectionOwner, socket: Connection) {
    this.#owner = owner;
    this.#socket = socket;
    const flags = socket.isUnix ? CLIENT_UNIX : 0;
    this.handle = owner.core.openClient(flags, socket.remoteAddress, socket.localAddress);
    this.lastInputMs = owner.nowMs();
    const core = owner.core;
    socket.start({
      buffer: core.reserved ? core.readBuffer : () => core.readBuffer,
      onRead: (n) => this.#onRead(n),
      onClose: () => this.#onClose(),
    });
  }

  #onRead(n: number): void {
    const owner = this.#owner;
    const now = owner.nowMs();
    this.lastInputMs = now;
    try {
      this.#after(owner.core.x.feed(this.handle, n, now));
      if (owner.core.x.readyClients() !== 0) owner.drainReady();
    } catch (error) {
      owner.core.failed(error);
      throw error;
    }
  }

  /** Goes on after a host command is done. */
  resume(): void {
    if (this.#closed) return;
    const owner = this.#owner;
    this.#after(owner.core.x.resume(this.handle, owner.nowMs()));
    if (owner.core.x.readyClients() !== 0) owner.drainReady();
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
      this.#socket.destroy();
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
      if (this.#socket.write(core.blockView(block), () => this.#onFlushed(block))) {
        x.recycleReply(block);
      } else {
        this.#held = block;
        if (this.#socket.pendingBytes > PENDING_MAX) this.#pause();
      }
    }
    // Replies go on gathering in the core: a reader this slow sends no more commands for a while.
    this.#pause();
    this.checkOutput();
  }

  /** Closes a client whose unread replies pass client-output-buffer-limit. */
  checkOutput(): void {
    if (this.#held === 0 || this.#closed) return;
    const { hardBytes, softBytes, softSec } = this.#owner.outputLimit;
    const bytes = this.#owner.core.x.clientOutputBytes(this.handle) + this.#socket.pendingBytes;
    const now = this.#owner.nowMs();
    if (softBytes === 0 || bytes <= softBytes) this.#aboveSoftMs = 0;
    else if (this.#aboveSoftMs === 0) this.#aboveSoftMs = now;
    const isAboveLong = this.#aboveSoftMs !== 0 && now - this.#aboveSoftMs > softSec * 1000;
    if (!isAboveLong && (hardBytes === 0 || bytes <= hardBytes)) return;
    this.#owner.onOutputLimit(this, bytes);
    this.#socket.destroy();
  }

  #onFlushed(block: number): void {
    this.#owner.core.x.recycleReply(block);
    this.#held = 0;
    if (!this.#closed) this.#after(this.#owner.core.x.clientStatus(this.handle) | STATUS_OUTPUT);
  }

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
    // A core that trapped is not called again.
    if (this.#owner.core.trap === undefined) this.#owner.core.x.clientClose(this.handle);
    this.#owner.onClosed(this);
  }
}
