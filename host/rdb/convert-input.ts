// A source of a conversion: its version is wanted before it is read, and it may be read more than
// once.

import { latin1 } from '../core/inspector.js';
import {
  type OpenAgain,
  pullHead,
  pullSource,
  type RdbPullSource,
  type RdbSource,
} from './source.js';

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
  /** Opened, and not yet given to who closes it. */
  #opened: RdbPullSource | undefined;

  private constructor(given: ConvertSource, index: number) {
    this.#given = given;
    this.index = index;
    this.canReopen = typeof given === 'function' || isAtHand(given);
  }

  /** Opens a source and looks at its version; `isAgain`: it may be needed once more. */
  static async open(given: ConvertSource, index: number, isAgain: boolean): Promise<ConvertInput> {
    const input = new ConvertInput(given, index);
    const from = await input.#open(isAgain);
    input.#opened = from;
    try {
      const head = await pullHead(from, MAGIC_BYTES);
      input.canReopen ||= from.canReopen === true;
      input.#opened = withHead(from, head);
      const version = /^(?:REDIS|VALKEY)(\d+)$/.exec(latin1(head))?.[1];
      input.version = Number(version ?? 0);
      return input;
    } catch (error) {
      await input.close();
      throw error;
    }
  }

  async #open(isAgain: boolean): Promise<RdbPullSource> {
    const given = this.#given;
    return pullSource(typeof given === 'function' ? await given(isAgain) : given);
  }

  /** The source from its beginning; whoever takes it closes it. */
  async take(): Promise<RdbPullSource> {
    const opened = this.#opened ?? (await this.#open(true));
    this.#opened = undefined;
    return opened;
  }

  async close(): Promise<void> {
    await this.#opened?.close?.();
    this.#opened = undefined;
  }
}

function isAtHand(source: RdbSource): boolean {
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) return true;
  return typeof Blob !== 'undefined' && source instanceof Blob;
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
    close: () => from.close?.(),
  };
}
