// What the named fuzzers share: a case is a list of steps made from a seed before anything runs,
// so that a failing case can be shrunk, written to a file and run again.

import type { CoreStatistics } from '../../host/core/statistics.js';
import { readStatistics } from '../../host/core/statistics.js';
import { type MemoryClient, MemoryHost, type MemoryHostOptions } from '../sim/memory-host.js';
import { Prng } from '../support/prng.js';

export interface Step {
  bytes: Buffer;
  /** Which client sends it; default 0. */
  client?: number;
  /** How many commands the bytes hold, where that is known. */
  commands?: number;
  /** Milliseconds that pass afterwards. */
  afterMs?: number;
  /** A number more, as the fuzzer likes. */
  extra?: number;
}
export type Case = Step[];

export interface Fuzzer {
  readonly name: string;
  /** One line. */
  readonly about: string;
  /** Why it cannot run on this build; undefined when it can. */
  missing?(): string | undefined;
  make(random: Prng): Case;
  /** Throws when the case shows a fault. A RuntimeError of WebAssembly is a trap. */
  run(steps: Case, seed: number): Promise<void>;
}

/** Bytes that may stay allocated when everything is closed and flushed. */
const LEFT_BYTES_MAX = 160 << 10;
/** The core has this much address space; what a case uses must stay far below. */
const MEMORY_BYTES_MAX = 64 << 20;

/** A server being fuzzed, its clients, and what must hold in the end. */
export class HostUnderTest {
  readonly host: MemoryHost;
  readonly #clients: (MemoryClient | undefined)[] = [];
  readonly #before: CoreStatistics;

  constructor(seed: number, options: MemoryHostOptions = {}) {
    const memory = { memoryBytesMax: MEMORY_BYTES_MAX };
    this.host = new MemoryHost({ seed, memory, ...options });
    // The buffers that are made once and kept are there before anything is measured.
    const first = this.host.open();
    const bytes = Buffer.from('SET k v\r\nCOMMAND DOCS\r\nCOMMAND\r\nDEL k\r\n');
    this.host.core.readBuffer.set(bytes);
    this.host.core.x.feed(first.handle, bytes.length, this.host.nowMs);
    first.take();
    this.#flush(first);
    first.close();
    this.#before = readStatistics(this.host.core);
  }

  /** The client of a number; a new one when there was none or it was closed. */
  client(index: number, flags?: number): MemoryClient {
    const known = this.#clients[index];
    if (known !== undefined && !known.isClosing) return known;
    known?.close();
    const made = this.host.open(flags);
    this.#clients[index] = made;
    return made;
  }

  /** Whether `client` gives one that is there already, and its connection lives. */
  isOpen(index: number): boolean {
    const known = this.#clients[index];
    return known !== undefined && !known.isClosing;
  }

  after(passedMs: number): void {
    this.host.cron(passedMs);
  }

  /** Closes and flushes everything; then nothing may be left but small change, and spare blocks. */
  finish(spareBytes = 0): void {
    const { core } = this.host;
    const now = readStatistics(core);
    if (now.usedMemory > MEMORY_BYTES_MAX) throw new Error(`usedMemory is ${now.usedMemory}`);
    for (const client of this.#clients) client?.close();
    this.host.endPauses();
    const last = this.host.open();
    this.#flush(last);
    last.close();
    for (let i = 0; core.x.lazyStep() !== 0; i++) {
      if (i > 1e6) throw new Error('lazy freeing never ends');
    }
    const left = readStatistics(core);
    const more = left.usedMemory - this.#before.usedMemory;
    if (left.clients !== 0) throw new Error(`${left.clients} clients are left`);
    if (more > LEFT_BYTES_MAX + spareBytes || more < -LEFT_BYTES_MAX) {
      throw new Error(`${more} bytes are left in the core after everything was closed`);
    }
  }

  #flush(client: MemoryClient): void {
    const bytes = Buffer.from('FLUSHALL\r\n');
    this.host.core.readBuffer.set(bytes);
    this.host.core.x.feed(client.handle, bytes.length, this.host.nowMs);
    const reply = client.take().toString('latin1');
    if (reply !== '+OK\r\n') throw new Error(`FLUSHALL: ${reply}`);
  }
}

export function makeCase(fuzzer: Fuzzer, seed: number): Case {
  return fuzzer.make(new Prng(seed));
}

/** The fault a case shows, if any. */
export async function faultOf(
  fuzzer: Fuzzer,
  steps: Case,
  seed: number,
): Promise<Error | undefined> {
  try {
    await fuzzer.run(steps, seed);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Traps are one kind of fault, everything else is told apart by the first words of its text. */
function kindOf(fault: Error): string {
  return fault instanceof WebAssembly.RuntimeError ? 'trap' : fault.message.slice(0, 12);
}

/** A smaller case with the same kind of fault: steps left out, then bytes of steps. */
export async function shrink(
  fuzzer: Fuzzer,
  steps: Case,
  seed: number,
  triesMax = 400,
): Promise<Case> {
  const first = await faultOf(fuzzer, steps, seed);
  if (first === undefined) return steps;
  const kind = kindOf(first);
  let best = steps;
  let tries = 0;
  const isAsBad = async (candidate: Case): Promise<boolean> => {
    if (candidate.length === 0 || tries++ > triesMax) return false;
    const fault = await faultOf(fuzzer, candidate, seed);
    return fault !== undefined && kindOf(fault) === kind;
  };
  for (let size = Math.ceil(best.length / 2); size >= 1 && tries < triesMax; ) {
    let from = 0;
    let shrunk = false;
    while (from < best.length && tries < triesMax) {
      const candidate = [...best.slice(0, from), ...best.slice(from + size)];
      if (await isAsBad(candidate)) {
        best = candidate;
        shrunk = true;
      } else from += size;
    }
    if (!shrunk || size > 1) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return best;
}

/** A case as text, for a file: bytes as latin1 strings. */
export function caseText(fuzzer: string, seed: number, steps: Case): string {
  const plain = steps.map((step) => ({ ...step, bytes: step.bytes.toString('latin1') }));
  return `${JSON.stringify({ fuzzer, seed, steps: plain }, undefined, 1)}\n`;
}

export function readCase(text: string): { fuzzer: string; seed: number; steps: Case } {
  const { fuzzer, seed, steps } = JSON.parse(text);
  const cut = (step: { bytes: string }) => ({ ...step, bytes: Buffer.from(step.bytes, 'latin1') });
  return { fuzzer, seed, steps: steps.map(cut) };
}
