// One connection to the master, from the first PING to its end: handshake, PSYNC, payload, stream.
// It knows nothing of other connections: what was before and what comes after is link.ts.
//
// Bytes are read into the core's read buffer and handed on where they lie. One chunk may hold the
// end of one phase and the beginning of the next.

import type { Core } from '../core/core.js';
import { RespiteError, type SyncPhase } from '../errors.js';
import type { Clock, Connection, TimerHandle } from '../platform/platform.js';
import { ANNOUNCED_VERSION, Handshake } from './handshake.js';
import { addressText, type LinkSettings } from './options.js';
import { type Position, psyncRequest, readPsyncAnswer } from './psync.js';
import type { RdbSink } from './sink.js';
import { ackRequest, MasterStream } from './stream.js';
import { type PayloadHeader, readPayloadHeader, Transfer } from './transfer.js';
import { LineReader } from './wire.js';

export type SessionPhase = 'handshake' | 'psync' | 'header' | 'transfer' | 'stream';

/** Work on received bytes in one turn of the event loop; then others get theirs. */
const TURN_MS = 5;

/** As Redis; also the longest wait before a stream has begun. */
const ACK_EVERY_MS = 1000;

const SYNC_PHASES: Record<SessionPhase, SyncPhase> = {
  handshake: 'handshake',
  psync: 'psync',
  header: 'transfer',
  transfer: 'transfer',
  stream: 'stream',
};

/** What a session asks of its link, and tells it. None of these is called per command. */
export interface SessionOwner {
  readonly core: Core;
  readonly clock: Clock;
  readonly sink: RdbSink;
  readonly settings: LinkSettings;
  /** Where the stream could go on; undefined: everything is needed. */
  readonly position: Position | undefined;
  onPhase(session: MasterSession): void;
  /** The first bytes of an RDB are here: makes the sink ready for them. Throws if it cannot be. */
  onRdbBegin(header: PayloadHeader, target: Position): void;
  onRdbProgress(transfer: Transfer): void;
  /** The RDB is whole and right: makes it the data set and gives the place behind it. */
  onRdbEnd(target: Position): Position;
  /** The master goes on where we stopped; `replid` if it now calls its history so. */
  onContinue(replid: string | undefined): Position;
  /** A chunk is done with: the time for events. */
  onChunkEnd(): void;
  /** Once. Without an error the session was stopped by its link. */
  onEnd(session: MasterSession, error: Error | undefined): void;
}

export class MasterSession {
  readonly connection: Connection;
  readonly #owner: SessionOwner;
  readonly #core: Core;
  readonly #readPtr: number;
  readonly #handshake: Handshake;
  readonly #lines = new LineReader();
  #phase: SessionPhase = 'handshake';
  #isEnded = false;
  #asked: Position | undefined;
  #target: Position | undefined;
  #header: PayloadHeader | undefined;
  #transfer: Transfer | undefined;
  #stream: MasterStream | undefined;
  #silence: TimerHandle | undefined;
  #heartbeat: TimerHandle | undefined;
  #lastIoMs: number;
  #stuckSinceMs: number | undefined;
  #ackedMs = 0;
  /** When the present turn of the event loop began to work on our bytes. */
  #turnMs: number | undefined;
  /** A host command of the stream is not done: nothing may be fed. */
  #isBusy = false;
  /** Bytes of the stream have come: the master has noticed one of our ACKs. */
  #isFlowing = false;
  bytesReceived = 0;
  /** The RDB of this session is being loaded: the sink is in use. */
  isLoading = false;

  constructor(owner: SessionOwner, connection: Connection) {
    this.connection = connection;
    this.#owner = owner;
    this.#core = owner.core;
    this.#readPtr = owner.core.x.readBuffer() >>> 0;
    this.#lastIoMs = owner.clock.monotonicMs();
    const { username, password, announcePort, announceIp } = owner.settings;
    this.#handshake = new Handshake({
      address: this.#address,
      username,
      password,
      announcePort,
      announceIp,
      version: ANNOUNCED_VERSION,
    });
  }

  get phase(): SessionPhase {
    return this.#phase;
  }

  get stream(): MasterStream | undefined {
    return this.#stream;
  }

  get transfer(): Transfer | undefined {
    return this.#transfer;
  }

  /** Monotonic ms of the last byte from the master. */
  get lastIoMs(): number {
    return this.#lastIoMs;
  }

  get #address(): string {
    return addressText(this.#owner.settings);
  }

  start(): void {
    const core = this.#core;
    this.connection.start({
      buffer: core.reserved ? core.readBuffer : () => core.readBuffer,
      onRead: (n) => this.#onRead(n),
      onEnd: () => this.#lost(),
      onClose: (error) => this.#lost(error),
    });
    this.connection.write(this.#handshake.begin());
    this.#watchSilence();
  }

  /** Ends without an error; a last ACK tells the master how far we came. */
  stop(): void {
    if (this.#isEnded) return;
    if (this.#phase === 'stream') this.ack();
    this.connection.end();
    this.#end(undefined);
  }

  /** Ends with an error. */
  fail(error: unknown): void {
    if (this.#isEnded) return;
    this.connection.destroy();
    this.#end(error instanceof Error ? error : new Error(String(error)));
  }

  /** Tells the master the applied offset. */
  ack(): void {
    const { connection } = this;
    if (this.#stream === undefined || connection.pendingBytes > 0) return;
    this.#ackedMs = this.#owner.clock.monotonicMs();
    connection.write(ackRequest(this.#stream.offset));
  }

  /** A host command of the stream is done. */
  resume(): void {
    const stream = this.#stream;
    if (this.#isEnded || stream === undefined) return;
    try {
      this.#isBusy = stream.resume(this.#owner.clock.nowMs());
      if (!this.#isBusy) this.connection.resumeReads();
    } catch (error) {
      this.fail(error);
    }
    this.#owner.onChunkEnd();
  }

  // ---- the end

  #lost(error?: Error): void {
    const why = error === undefined ? 'the master closed it' : error.message;
    const message = `The connection to ${this.#address} broke: ${why}`;
    this.fail(
      new RespiteError('ERR_RESPITE_CONNECTION', message, {
        cause: error,
        details: { address: this.#address },
      }),
    );
    this.#owner.onChunkEnd();
  }

  #end(error: Error | undefined): void {
    this.#isEnded = true;
    this.#silence?.cancel();
    this.#heartbeat?.cancel();
    this.#owner.onEnd(this, error);
  }

  // ---- reading

  #onRead(n: number): void {
    if (this.#isEnded) return;
    this.#beginTurn();
    this.bytesReceived += n;
    try {
      for (let at = 0; at < n && !this.#isEnded; ) at += this.#take(this.#readPtr + at, n - at);
    } catch (error) {
      this.fail(error);
    }
    this.#owner.onChunkEnd();
    this.#endTurn();
  }

  /** Notes the time; the first chunk of a turn of the event loop begins the turn's budget. */
  #beginTurn(): void {
    const { clock } = this.#owner;
    const now = clock.monotonicMs();
    this.#lastIoMs = now;
    if (this.#turnMs !== undefined) return;
    this.#turnMs = now;
    clock.defer(() => {
      this.#turnMs = undefined;
      if (!this.#isEnded && !this.#isBusy) this.connection.resumeReads();
    });
  }

  /** A fast master could keep the loop busy for as long as it sends: it waits for the next turn. */
  #endTurn(): void {
    if (this.#isEnded || this.#turnMs === undefined) return;
    if (this.#owner.clock.monotonicMs() - this.#turnMs >= TURN_MS) this.connection.pauseReads();
  }

  /** Takes bytes in the present phase; gives how many it used. */
  #take(ptr: number, len: number): number {
    if (this.#phase === 'stream') {
      this.#isFlowing = true;
      this.#isBusy = this.#stream!.feed(ptr, len, this.#owner.clock.nowMs());
      if (this.#isBusy) this.connection.pauseReads();
      return len;
    }
    if (this.#phase === 'transfer') return this.#takeRdb(ptr, len);
    // Empty lines are a sign of life of a master that prepares.
    if (this.#lines.take(this.#core.view(ptr, len)) && this.#lines.line !== '') {
      this.#onLine(this.#lines.line);
    }
    return this.#lines.used;
  }

  #takeRdb(ptr: number, len: number): number {
    const owner = this.#owner;
    const transfer = this.#transfer!;
    if (!this.isLoading) {
      owner.onRdbBegin(transfer.header, this.#target!);
      this.isLoading = true;
    }
    const used = transfer.feed(ptr, len, owner.clock.nowMs());
    owner.onRdbProgress(transfer);
    if (transfer.isDone) {
      const position = owner.onRdbEnd(this.#target!);
      this.isLoading = false;
      this.#openStream(position);
    }
    return used;
  }

  #onLine(line: string): void {
    if (this.#phase === 'handshake') this.#onHandshakeReply(line);
    else if (this.#phase === 'psync') this.#onPsyncAnswer(line);
    else this.#onHeader(line);
  }

  #onHandshakeReply(line: string): void {
    const next = this.#handshake.reply(line);
    if (next !== true) {
      if (next.length > 0) this.connection.write(next);
      return;
    }
    this.#asked = this.#owner.position;
    this.connection.write(psyncRequest(this.#asked));
    this.#setPhase('psync');
  }

  #onPsyncAnswer(line: string): void {
    const answer = readPsyncAnswer(line, this.#asked, this.#address);
    if (answer.kind === 'later') {
      throw new RespiteError(
        'ERR_RESPITE_SYNC',
        `The master ${this.#address} cannot synchronise us now: ${answer.reply}`,
        { details: { phase: 'psync', retries: 0 } },
      );
    }
    if (answer.kind === 'full') {
      // Becomes our position only when the RDB is loaded.
      this.#target = { replid: answer.replid, offset: answer.offset, db: 0 };
      this.#setPhase('header');
    } else {
      this.#openStream(this.#owner.onContinue(answer.replid));
    }
  }

  #onHeader(line: string): void {
    this.#header = readPayloadHeader(line);
    this.#transfer = new Transfer(this.#core, this.#owner.sink, this.#header);
    this.#setPhase('transfer');
  }

  #openStream(from: Position): void {
    const { remoteAddress, localAddress } = this.connection;
    this.#stream = new MasterStream(this.#core, from, remoteAddress, localAddress);
    this.#setPhase('stream');
    this.ack();
    const { clock, settings } = this.#owner;
    const everyMs = Math.min(settings.heartbeatIntervalMs, ACK_EVERY_MS);
    this.#heartbeat = clock.setRepeating(everyMs, () => this.#onHeartbeat());
  }

  #setPhase(phase: SessionPhase): void {
    this.#phase = phase;
    this.#owner.onPhase(this);
  }

  // ---- time

  #onHeartbeat(): void {
    const { clock, settings } = this.#owner;
    if (this.connection.pendingBytes === 0) {
      this.#stuckSinceMs = undefined;
      // A master that sent the RDB to its socket begins the stream only after an ACK that comes
      // when its child has ended; earlier ones are lost. So none is saved before it flows.
      const dueMs = this.#ackedMs + settings.heartbeatIntervalMs * 0.9;
      if (!this.#isFlowing || clock.monotonicMs() >= dueMs) this.ack();
      return;
    }
    this.#stuckSinceMs ??= clock.monotonicMs();
    if (clock.monotonicMs() - this.#stuckSinceMs >= settings.writeTimeoutMs) {
      this.#timeOut('write', settings.writeTimeoutMs);
    }
  }

  /** One timer that follows the last byte instead of one armed for each. */
  #watchSilence(): void {
    const { clock, settings } = this.#owner;
    const limit = this.#phase === 'stream' ? settings.readTimeoutMs : settings.syncTimeoutMs;
    const left = this.#lastIoMs + limit - clock.monotonicMs();
    if (left <= 0) {
      this.#timeOut(SYNC_PHASES[this.#phase], limit);
      return;
    }
    // The limit may become shorter with the phase: look again before the shorter one is over.
    const wait = Math.min(left, settings.readTimeoutMs, settings.syncTimeoutMs);
    this.#silence = clock.setTimer(wait, () => this.#watchSilence()).unref();
  }

  #timeOut(operation: string, timeoutMs: number): void {
    const message = `The master ${this.#address} was silent for ${timeoutMs} ms (${operation})`;
    this.fail(
      new RespiteError('ERR_RESPITE_TIMEOUT', message, { details: { operation, timeoutMs } }),
    );
    this.#owner.onChunkEnd();
  }
}
