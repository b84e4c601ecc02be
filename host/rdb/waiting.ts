// Waiting for sources, and its end before they answer: by the caller's signal, or because the
// iteration that waits is given up. `return` of a generator would only queue behind its `next`.

import { isRespiteError, RespiteError } from '../errors.js';
import { type OpenAgain, pullSource, type RdbPullSource, type RdbSource } from './source.js';
import { turn } from './turn.js';

/** Given to the options by `endable`, and so known wherever they are. */
const ENDING = Symbol('ending');

interface WaitOptions {
  signal?: AbortSignal | undefined;
}

class Ending {
  isEnded = false;
  /** Ends the waits there are now. */
  readonly waits = new Set<() => void>();

  end(): void {
    this.isEnded = true;
    for (const end of this.waits) end();
  }
}

const endingOf = (options: WaitOptions): Ending | undefined =>
  (options as { [ENDING]?: Ending })[ENDING];

/** Nobody wants what comes any more. */
export function isGivenUp(options: WaitOptions): boolean {
  return options.signal?.aborted === true || endingOf(options)?.isEnded === true;
}

/** What was asked for, or ERR_RESPITE_ABORTED when it is not wanted any more. */
export function orGivenUp<T>(wanted: Promise<T>, options: WaitOptions): Promise<T> {
  const { signal } = options;
  const ending = endingOf(options);
  if (signal === undefined && ending === undefined) return wanted;
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      signal?.removeEventListener('abort', giveUp);
      ending?.waits.delete(giveUp);
    };
    const giveUp = (): void => {
      stop();
      reject(new RespiteError('ERR_RESPITE_ABORTED'));
    };
    signal?.addEventListener('abort', giveUp);
    ending?.waits.add(giveUp);
    wanted.then(resolve, reject).finally(stop);
    // it may have been asked for what ended it
    if (isGivenUp(options)) giveUp();
  });
}

/** Closes a source that nobody waits for: one that takes its time does so by itself. */
export async function letGo(from: RdbPullSource): Promise<void> {
  const closed = (async () => from.close?.())();
  await Promise.race([closed.catch(() => undefined), turn()]);
}

/** Lets go of sources that will not be read. */
export async function release(...sources: readonly RdbSource[]): Promise<void> {
  for (const source of sources) {
    let from: RdbPullSource;
    try {
      from = pullSource(source);
    } catch {
      continue;
    }
    await letGo(from);
  }
}

/** What is to be done before `source` is read; where that fails the source is let go. */
export async function prepared<T>(source: RdbSource, prepare: () => T | Promise<T>): Promise<T> {
  try {
    return await prepare();
  } catch (error) {
    await release(source);
    throw error;
  }
}

/** What a function opens; if that comes too late it is let go. */
export async function opened(
  open: OpenAgain,
  isAgain: boolean,
  options: WaitOptions,
): Promise<RdbSource> {
  const opening = (async () => open(isAgain))();
  try {
    return await orGivenUp(opening, options);
  } catch (error) {
    opening.then(release, () => undefined);
    throw error;
  }
}

/**
 * The iteration that `run` makes with these options; its `return` ends it at once, also while it
 * waits for its source. `unread`: it is ended before it began.
 */
export function endable<T, O extends WaitOptions>(
  options: O,
  run: (options: O) => AsyncGenerator<T>,
  unread: () => Promise<void> = async () => {},
): AsyncGenerator<T> {
  const ending = new Ending();
  // an AbortController may stand for the options, and has its signal from its class
  const { signal } = options;
  return new Endable(run({ ...options, signal, [ENDING]: ending }), ending, unread);
}

class Endable<T> implements AsyncGenerator<T> {
  readonly #run: AsyncGenerator<T>;
  readonly #ending: Ending;
  readonly #unread: () => Promise<void>;
  #isBegun = false;

  constructor(run: AsyncGenerator<T>, ending: Ending, unread: () => Promise<void>) {
    this.#run = run;
    this.#ending = ending;
    this.#unread = unread;
  }

  next(): Promise<IteratorResult<T>> {
    this.#isBegun = true;
    return this.#run.next().catch(this.#onError);
  }

  /** Whoever ended it is not told that it was ended. */
  readonly #onError = (error: unknown): IteratorResult<T> => {
    const isEnded = this.#ending.isEnded && isRespiteError(error, 'ERR_RESPITE_ABORTED');
    if (!isEnded) throw error;
    return { done: true, value: undefined };
  };

  async return(value?: unknown): Promise<IteratorResult<T>> {
    await this.#end();
    return this.#run.return(value);
  }

  async throw(error: unknown): Promise<IteratorResult<T>> {
    await this.#end();
    return this.#run.throw(error);
  }

  async #end(): Promise<void> {
    const { isEnded } = this.#ending;
    this.#ending.end();
    if (!this.#isBegun && !isEnded) await this.#unread();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
