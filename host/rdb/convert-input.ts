// A source of a conversion: its version is wanted before it is read, and it may be read more than
// once.

import { latin1 } from '../core/inspector.js';
import { RespiteError } from '../errors.js';
import { bytesOf, isBlob } from './pieces.js';
import type { RunOptions } from './run.js';
import {
  type OpenAgain,
  pullHead,
  pullSource,
  type RdbPullSource,
  type RdbSource,
} from './source.js';
import { isGivenUp, letGo, opened, orGivenUp, release } from './waiting.js';

/** Sources given as functions can be read more than once, as paths, bytes and Blobs can. */
export type ConvertSource = RdbSource | OpenAgain;

const MAGIC_BYTES = 9;

export class ConvertInput {
  /** Its place among those given. */
  readonly index: number;
  /** 0: not known; reading will tell why. */
  version = 0;
  /** Whether it can be read more than once. */
  canReopen: boolean;
  readonly #given: ConvertSource;
  readonly #options: RunOptions;
  /** Opened, and not yet given to who closes it. */
  #opened: RdbPullSource | undefined;
  #wasOpened = false;

  constructor(given: ConvertSource, index: number, options: RunOptions) {
    this.#given = given;
    this.#options = options;
    this.index = index;
    this.canReopen = typeof given === 'function' || isAtHand(given);
  }

  /** Opens the source and looks at its version; `isAgain`: it may be needed once more. */
  async open(isAgain: boolean): Promise<void> {
    const from = await this.#open(isAgain);
    this.#opened = from;
    const head = await orGivenUp(pullHead(from, MAGIC_BYTES), this.#options);
    this.canReopen ||= from.canReopen === true;
    this.#opened = withHead(from, head);
    const version = /^(?:REDIS|VALKEY)(\d+)$/.exec(latin1(head))?.[1];
    this.version = Number(version ?? 0);
  }

  async #open(isAgain: boolean): Promise<RdbPullSource> {
    if (isGivenUp(this.#options)) throw new RespiteError('ERR_RESPITE_ABORTED');
    this.#wasOpened = true;
    const given = this.#given;
    const isOpen = typeof given !== 'function';
    return pullSource(isOpen ? given : await opened(given, isAgain, this.#options));
  }

  /** The source from its beginning; whoever takes it closes it. */
  async take(): Promise<RdbPullSource> {
    const opened = this.#opened ?? (await this.#open(true));
    this.#opened = undefined;
    return opened;
  }

  /** Closes what nobody took, also if it was never opened. */
  async close(): Promise<void> {
    const [from, given] = [this.#opened, this.#given];
    this.#opened = undefined;
    if (from !== undefined) await letGo(from);
    else if (!this.#wasOpened && typeof given !== 'function') await release(given);
    this.#wasOpened = true;
  }
}

function isAtHand(source: RdbSource): boolean {
  return bytesOf(source) !== undefined || (typeof source === 'object' && isBlob(source));
}

/** A source whose first bytes were read already. */
function withHead(from: RdbPullSource, head: Uint8Array): RdbPullSource {
  let given = 0;
  return {
    size: from.size,
    pull(into) {
      if (given === head.length) return from.pull(into);
      const part = head.subarray(given, given + into.length);
      into.set(part);
      given += part.length;
      return part.length;
    },
    ended: (rdbBytes, behind) => from.ended?.(rdbBytes, behind),
    close: () => from.close?.(),
  };
}

/** Lets go of what was given and will not be read; functions have opened nothing. */
export function releaseGiven(given: readonly ConvertSource[]): Promise<void> {
  return release(...given.filter((one) => typeof one !== 'function'));
}
