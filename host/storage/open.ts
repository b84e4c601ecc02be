// Data of one's own in this process: a core with nothing around it, neither server nor files.

import { COMMAND_NAMES } from '../commands/generated/table.js';
import { Core } from '../core/core.js';
import { CoreCron } from '../core/cron.js';
import { type CoreModule, compileCore, hasSimd, moduleOf, type WasmSource } from '../core/load.js';
import { Storage } from './storage.js';

const CRON_EVERY_MS = 100;
/** Where all of the address space is too much to ask for: memory grows as it is needed. */
const IN_BROWSER = (globalThis as { process?: unknown }).process === undefined;

export interface StorageOptions {
  /** Databases there are. Default 16. */
  databases?: number | undefined;
  /** Most bytes of memory for the data; a write that needs more answers OOM. Default 4 GiB. */
  memoryBytesMax?: number | undefined;
  /** Another core.wasm than the one that is part of the package: bytes, or compiled. */
  wasm?: WasmSource | undefined;
}

/** A storage that nobody else knows, with the clean-up of expired keys. */
export class OwnStorage extends Storage {
  readonly #stop: () => void;

  constructor(core: Core, clock: ConstructorParameters<typeof Storage>[1], stop: () => void) {
    super(core, clock);
    this.#stop = stop;
  }

  /** Ends the clean-up; the data is gone with the last reference to it. */
  override close(): void {
    this.#stop();
    super.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

let openByDefault: () => Promise<CoreModule> = embedded;

/** Says where core.wasm is, if not inside of the package's modules. */
export function setCoreModule(open: () => Promise<CoreModule>): void {
  openByDefault = open;
}

let compiled: CoreModule | undefined;

async function embedded(): Promise<CoreModule> {
  if (compiled === undefined) {
    const { CORE_WASM } = hasSimd()
      ? await import('./generated/wasm.js')
      : await import('./generated/wasm-scalar.js');
    compiled = compileCore(Uint8Array.from(atob(CORE_WASM), (c) => c.charCodeAt(0)));
  }
  return compiled;
}

/** Turns of the event loop, in any engine. */
function defer(fn: () => void): void {
  setTimeout(fn, 0);
}

/** Makes a storage of one's own, empty. It holds no process back from ending. */
export async function createStorage(options: StorageOptions = {}): Promise<OwnStorage> {
  const { wasm, databases, memoryBytesMax } = options;
  const module = wasm === undefined ? await openByDefault() : moduleOf(wasm);
  const seed = crypto.getRandomValues(new Uint8Array(16));
  const core: Core = new Core(
    module,
    {
      hostCommand: (handle, id) => {
        core.reply(handle, new TextEncoder().encode(refusal(COMMAND_NAMES[id] as string)));
        return 0;
      },
      applyProblem: () => undefined,
    },
    { seed, databases, memoryBytesMax, reserve: !IN_BROWSER },
  );
  const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now(), defer };
  const cron = new CoreCron(core, clock);
  const timer: unknown = setInterval(() => {
    if (core.trap === undefined) cron.tick();
  }, CRON_EVERY_MS);
  (timer as { unref?: () => void }).unref?.();
  return new OwnStorage(core, clock, () => clearInterval(timer as number));
}

function refusal(name: string): string {
  return `-ERR ${name.replace('|', ' ').toUpperCase()} needs a server; there is only data here\r\n`;
}
