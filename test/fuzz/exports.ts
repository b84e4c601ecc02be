// Fuzzer `exports`: damaged and truncated dumps through the JSON, CSV and key exports. Whatever is
// read, JSON is valid UTF-8 and valid JSON, and the end is one of the errors that are foreseen.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CoreModule, compileCore } from '../../host/core/load.js';
import { exportCsv, exportJson, exportKeys, type JsonOptions } from '../../host/rdb/index.js';
import { Prng } from '../support/prng.js';
import { type Gathered, gathered } from '../support/rdb-export.js';
import { ROOT } from '../support/servers.js';
import type { Case, Fuzzer } from './fuzzer.js';
import { mutate } from './mutate.js';

const FILES = 25;
const DATA = join(ROOT, 'test/rdb/data');
const WORDS = [
  ...[[0xfe, 0], [0xfb, 0x81, 0xff], [0xff], [0xfc], [0xfd], [0xfa, 0, 0], [0xf9, 0x40], [0xf8]],
  ...[[0x80, 0xff, 0xff, 0xff, 0xff], [0xc0, 0x80], [0xc3, 0x40, 0x40, 0x7f, 0xff], [0xf4]],
].map((bytes) => Buffer.from(bytes));
const EXPECTED = /^ERR_RESPITE_(RDB_FORMAT|OUT_OF_MEMORY)$/;

let wasm: CoreModule | undefined;
let seeds: Buffer[] | undefined;
function files(): Buffer[] {
  seeds ??= readdirSync(DATA)
    .filter((name) => name.endsWith('.rdb'))
    .map((name) => readFileSync(join(DATA, name)));
  return seeds;
}

function checkEnd({ error }: Gathered): void {
  if (error !== undefined && !EXPECTED.test(error.code)) throw error;
}

async function checkJson(file: Buffer, options: JsonOptions): Promise<void> {
  const end = await gathered(exportJson(file, options));
  checkEnd(end);
  const text = new TextDecoder('utf-8', { fatal: true }).decode(end.bytes);
  const texts = options.form === 'lines' ? text.split('\n').slice(0, -1) : [text];
  for (const one of texts) JSON.parse(one);
}

export const exports: Fuzzer = {
  name: 'exports',
  about: `${FILES} damaged or truncated dumps a run, through the JSON, CSV and key exports`,
  make(r) {
    const steps: Case = [];
    for (let i = 0; i < FILES; i++) {
      const file = r.pick(files());
      const bytes = r.once(8)
        ? file.subarray(0, r.below(file.length))
        : mutate(r, file, WORDS, Math.min(9, file.length - 1));
      steps.push({ bytes, extra: r.u32() });
    }
    return steps;
  },
  async run(steps) {
    wasm ??= compileCore(new Uint8Array(readFileSync(join(ROOT, 'build/rdb.wasm'))));
    for (const { bytes, extra } of steps) {
      const r = new Prng(extra ?? 0);
      const common = { wasm, checksum: false, salvage: r.once(2), allowFuture: r.once(2) };
      const filter = r.once(3) ? { minBytes: r.below(400) } : {};
      await checkJson(bytes, {
        ...{ ...common, filter, sizes: r.once(2), keysOnly: r.once(3) },
        form: r.pick(['array', 'lines', 'flat'] as const),
        escape: r.pick(['utf8', 'latin1', 'base64'] as const),
      });
      if (r.once(3)) checkEnd(await gathered(exportCsv(bytes, { ...common, filter })));
      if (r.once(3)) checkEnd(await gathered(exportKeys(bytes, { ...common, filter })));
    }
  },
};
