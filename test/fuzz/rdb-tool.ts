// Fuzzer `rdb-tool`: damaged and truncated dumps through every mode of rdb.wasm. The answer is a
// whole output, or what came before and an error with an offset inside the file; never a trap, a
// hang, or memory beyond the bound, and nothing is left allocated. JSON is valid whatever happens.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Inspector,
  MODE_CHECK,
  MODE_CONVERT,
  MODE_CSV,
  MODE_DIGEST,
  MODE_INFO,
  MODE_JSON,
  MODE_KEYS,
  MODE_KEYS_TEXT,
  MODE_MEMORY,
  MODE_STATS,
  MODE_VALUES,
  STEP_END,
  STEP_ERROR,
  STEP_MORE,
} from '../../host/core/inspector.js';
import { isRespiteError, type RespiteError } from '../../host/errors.js';
import { analysisPlaces } from '../../host/rdb/analysis.js';
import { OPT_VALKEY, OPT_VERSION } from '../../host/rdb/convert-frames.js';
import { commandMode } from '../../host/rdb/export-commands.js';
import { csvPlaces } from '../../host/rdb/export-csv.js';
import { jsonPlaces } from '../../host/rdb/export-json.js';
import { keysPlaces } from '../../host/rdb/export-keys.js';
import { inspectFlags } from '../../host/rdb/read-rdb.js';
import { memoryPlaces } from '../../host/rdb/report-memory.js';
import { Prng } from '../support/prng.js';
import { ROOT } from '../support/servers.js';
import { damagedDumps } from './dumps.js';
import type { Fuzzer } from './fuzzer.js';

/** A mode with options. */
export interface Tool {
  name: string;
  mode: number;
  places: Readonly<Record<number, number | string | Uint8Array>>;
  /**
   * What it says of a part of a file: the beginning of what it says of the whole file (`prefix`),
   * that and an end of its own (`json`), or something else altogether.
   */
  partial: 'prefix' | 'json' | 'other';
}

const NOW_MS = 1_800_000_000_000;
const commands = (options: Parameters<typeof commandMode>[0]) => {
  const { mode, options: places } = commandMode({ now: 0, ...options });
  return { mode, places };
};
const plain = (name: string, mode: number): Tool => ({ name, mode, places: {}, partial: 'prefix' });

export const TOOLS: readonly Tool[] = [
  plain('check', MODE_CHECK),
  plain('info', MODE_INFO),
  plain('keys with facts', MODE_KEYS),
  plain('keys with values', MODE_VALUES),
  { name: 'json', mode: MODE_JSON, places: jsonPlaces({ sizes: true }), partial: 'json' },
  {
    name: 'json flat',
    mode: MODE_JSON,
    places: jsonPlaces({ form: 'flat', escape: 'latin1' }),
    partial: 'json',
  },
  {
    name: 'json lines',
    mode: MODE_JSON,
    places: jsonPlaces({ form: 'lines', escape: 'base64' }),
    partial: 'other',
  },
  { name: 'csv', mode: MODE_CSV, places: csvPlaces({}), partial: 'prefix' },
  { name: 'csv go', mode: MODE_CSV, places: csvPlaces({ columns: 'go' }), partial: 'prefix' },
  { name: 'keys', mode: MODE_KEYS_TEXT, places: keysPlaces({}), partial: 'prefix' },
  { name: 'resp', ...commands({}), partial: 'prefix' },
  { name: 'resp --missing', ...commands({ existing: 'keep' }), partial: 'prefix' },
  { name: 'resp --restore', ...commands({ form: 'restore' }), partial: 'prefix' },
  {
    name: 'resp --restore small',
    ...commands({ form: 'restore', payloadMax: 40 }),
    partial: 'prefix',
  },
  { name: 'aof', ...commands({ form: 'aof' }), partial: 'prefix' },
  { name: 'stats', mode: MODE_STATS, places: analysisPlaces({}, NOW_MS), partial: 'other' },
  {
    name: 'stats of few nodes',
    mode: MODE_STATS,
    places: analysisPlaces({ prefixNodes: 64, top: 3 }, NOW_MS),
    partial: 'other',
  },
  { name: 'memory', mode: MODE_MEMORY, places: memoryPlaces({}), partial: 'other' },
  { name: 'digest', mode: MODE_DIGEST, places: { 0: 0 }, partial: 'other' },
  ...[0, 6, 9, 10, 12, 80].map(
    (version): Tool => ({
      name: `convert to ${version === 0 ? 'the same' : version}`,
      mode: MODE_CONVERT,
      places: { [OPT_VERSION]: version, [OPT_VALKEY]: version === 80 ? 1 : 0 },
      partial: 'other',
    }),
  ),
];

/** What a run of a tool may grow linear memory to; files here have a few kilobytes. */
const MEMORY_BYTES_MAX = 48 << 20;
/** Buffers that are made when first needed and kept. */
const KEPT_BYTES_MAX = 6 << 20;

export interface Ran {
  output: Buffer;
  /** ERR_RESPITE_RDB_FORMAT. */
  error: RespiteError<'ERR_RESPITE_RDB_FORMAT'> | undefined;
}

let module: WebAssembly.Module | undefined;

/** One tool with its instance, which is used for one file after the other. */
export class ToolUnderTest {
  readonly tool: Tool;
  readonly #inspector: Inspector;
  readonly #idleBytes: number;

  constructor(tool: Tool) {
    module ??= new WebAssembly.Module(readFileSync(join(ROOT, 'build/rdb.wasm')));
    this.tool = tool;
    this.#inspector = new Inspector(module);
    this.#idleBytes = this.#inspector.memoryUsed;
  }

  /** Runs it over a file in pieces of at most `most` bytes. Throws for what must not happen. */
  run(file: Uint8Array, most: number, flags = 0): Ran {
    const inspector = this.#inspector;
    const parts: Buffer[] = [];
    let error: Ran['error'];
    inspector.filter();
    inspector.options(this.tool.places);
    inspector.open(this.tool.mode, flags);
    try {
      let last = STEP_MORE;
      for (let at = 0; at < file.length && last === STEP_MORE; ) {
        const piece = file.subarray(at, at + Math.min(most, inspector.input.length));
        inspector.input.set(piece);
        inspector.fed(piece.length);
        at += piece.length;
        last = this.#drain(parts, () => inspector.step());
      }
      if (last === STEP_MORE) this.#drain(parts, () => inspector.finish());
    } catch (thrown) {
      if (!isRespiteError(thrown, 'ERR_RESPITE_RDB_FORMAT')) throw thrown;
      error = thrown;
      const { offset } = thrown.details;
      if (!(offset >= 0 && offset <= file.length)) throw new Error(`offset ${offset} is outside`);
    } finally {
      inspector.close();
    }
    this.#checkMemory();
    return { output: Buffer.concat(parts), error };
  }

  #drain(parts: Buffer[], step: () => number): number {
    for (;;) {
      const said = step();
      if (said === STEP_MORE || said === STEP_END) return said;
      parts.push(Buffer.from(this.#inspector.output));
      this.#inspector.taken();
      if (said === STEP_ERROR) throw this.#inspector.failure();
    }
  }

  #checkMemory(): void {
    const { memoryUsed, memoryBytes } = this.#inspector;
    if (memoryBytes > MEMORY_BYTES_MAX) throw new Error(`memory grew to ${memoryBytes} bytes`);
    const kept = memoryUsed - this.#idleBytes;
    if (kept > KEPT_BYTES_MAX) throw new Error(`${kept} bytes are left after closing`);
  }
}

/** A JSON text must be one, in valid UTF-8. */
function checkJson(output: Buffer): void {
  JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(output));
}

const FILES = 5;
const WORDS = [
  ...[[0xfe, 0], [0xfb, 0x81, 0xff], [0xff], [0xfc], [0xfd], [0xfa, 0, 0], [0xf9, 0x40], [0xf8]],
  ...[
    [0x80, 0xff, 0xff, 0xff, 0xff],
    [0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0x81, 0, 0, 0, 0xff, 0, 0, 0, 0],
  ],
  ...[[0xc0, 0x80], [0xc1, 0, 0x80], [0xc2, 0, 0, 0, 0x80], [0xc3, 0x40, 0x40, 0x7f, 0xff], [0xc4]],
  ...[
    [0xf5, 0x80, 0x10, 0, 0, 0],
    [0xf4, 5, 1, 1],
    [0xf3, 1],
    [0xf2, 1, 1, 1],
    [0xc3, 3, 0x81, 0],
  ],
].map((bytes) => Buffer.from(bytes));

let tools: ToolUnderTest[] | undefined;

/** Every tool over one file, the same way. */
function runAll(file: Buffer, r: Prng): void {
  tools ??= TOOLS.map((tool) => new ToolUnderTest(tool));
  const most = r.pick([1, 17, 4096, 1 << 20]);
  const options = { checksum: r.once(4), salvage: r.once(3), allowFuture: r.once(4) };
  for (const one of tools) {
    try {
      const { output } = one.run(file, most, inspectFlags(options));
      if (one.tool.partial === 'json') checkJson(output);
    } catch (error) {
      // the instance is not to be trusted any more
      tools = undefined;
      (error as Error).message += ` (tool ${one.tool.name})`;
      throw error;
    }
  }
}

export const rdbTool: Fuzzer = {
  name: 'rdb-tool',
  about: `${FILES} damaged or truncated dumps a run, through every mode of the toolkit`,
  make: (r) => damagedDumps(r, FILES, WORDS),
  async run(steps) {
    for (const { bytes, extra } of steps) runAll(bytes, new Prng(extra ?? 0));
  },
};
