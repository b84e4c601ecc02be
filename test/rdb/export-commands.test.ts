// Exported commands themselves: whole whatever happens to the file, the same however it arrives,
// and what the options make of them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Inspector } from '../../host/core/inspector.js';
import { commandMode } from '../../host/rdb/export-commands.js';
import { type CommandExportOptions, type LeftOut, RespiteError } from '../../host/rdb/index.js';
import { readLeftOut } from '../../host/rdb/left-out.js';
import { inspectModule } from '../../host/rdb/module.js';
import { inspectFlags } from '../../host/rdb/read-rdb.js';
import { outputs } from '../../host/rdb/run.js';
import { commandsOf } from '../support/commands.js';
import { random, rareFiles } from '../support/rdb-build.js';
import { RdbHarness, ROOT } from '../support/rdb-harness.js';

const RUNS = Number(process.env.RESPITE_FUZZ_RUNS ?? 20000) / 10;
/** One for all: what exportCommands does, without a new instance each time. */
const inspector = new Inspector(await inspectModule());
const OWN = join(ROOT, 'test/rdb/data');
const h = new RdbHarness();
const files: [string, Buffer][] = [
  ...readdirSync(OWN)
    .filter((name) => name.endsWith('.rdb'))
    .map((name): [string, Buffer] => [name, readFileSync(join(OWN, name))]),
  ...rareFiles(h),
];
const small = files.filter(([, file]) => file.length < 6000);
const FORMS = ['commands', 'restore', 'aof'] as const;

interface Ran {
  bytes: Buffer;
  commands: string[][];
  leftOut: LeftOut;
  error: RespiteError | undefined;
}

function* cut(file: Buffer, sizes: () => number): Generator<Uint8Array> {
  for (let at = 0; at < file.length; ) {
    const size = Math.max(1, sizes());
    yield file.subarray(at, at + size);
    at += size;
  }
}

async function run(
  file: Buffer | Iterable<Uint8Array>,
  options: CommandExportOptions = {},
): Promise<Ran> {
  const { mode, options: places } = commandMode({ now: 1_700_000_000_000, ...options });
  inspector.filter(options.filter);
  inspector.options(places);
  inspector.open(mode, inspectFlags(options));
  const parts: Buffer[] = [];
  let error: RespiteError | undefined;
  try {
    for await (const part of outputs(inspector, file)) parts.push(Buffer.from(part));
  } catch (thrown) {
    if (!(thrown instanceof RespiteError)) throw thrown;
    error = thrown;
  }
  const leftOut = readLeftOut(inspector);
  inspector.close();
  const bytes = Buffer.concat(parts);
  return { bytes, commands: commandsOf(bytes), leftOut, error };
}

const plain = ({ commands }: Ran) => commands.map((command) => command.join(' '));

describe('the same commands however the file arrives', () => {
  it.each(files)('%s', async (_, file) => {
    for (const form of FORMS) {
      const whole = await run(file, { form });
      expect(whole.error?.message).toBeUndefined();
      const rnd = random(file.length);
      for (const sizes of [() => 1, () => 13, () => (rnd(8) === 0 ? rnd(5000) : rnd(40))]) {
        const got = await run(cut(file, sizes), { form });
        if (!got.bytes.equals(whole.bytes)) expect(plain(got)).toEqual(plain(whole));
        expect(got.leftOut).toEqual(whole.leftOut);
      }
    }
  });
});

describe('a file that ends early gives whole commands and the offset', () => {
  it.each(small)('%s', async (name, file) => {
    for (const form of FORMS) {
      const whole = plain(await run(file, { form }));
      const step = file.length < 700 ? 1 : 1 + (file.length >> 8);
      for (let end = 0; end < file.length; end += step) {
        const { error, ...got } = await run(file.subarray(0, end), { form });
        expect(error?.code, `cut at ${end}`).toBe('ERR_RESPITE_RDB_FORMAT');
        expect(error?.details.offset, `cut at ${end}`).toBe(end);
        // the last value may be there in part, in commands of its own
        const commands = plain({ error, ...got });
        const same = commands.findIndex((command, i) => command !== whole[i]);
        const isWhole = form === 'restore' && name !== 'templates';
        if (isWhole) expect(same, `cut at ${end}`).toBe(-1);
        else if (same >= 0) expect(commands.length - same).toBeLessThan(40);
      }
    }
  });
});

it(`${RUNS} seeded mutations: whole commands, nothing else`, async () => {
  for (let seed = 0; seed < RUNS; seed++) {
    const rnd = random(seed);
    const [, file] = small[rnd(small.length)]!;
    const bytes = Buffer.from(file);
    for (let i = 1 + rnd(3); i > 0; i--) {
      const at = 9 + rnd(bytes.length - 9);
      bytes[at] = rnd(3) === 0 ? rnd(256) : bytes[at]! ^ (1 << rnd(8));
    }
    const form = FORMS[seed % 3]!;
    const options: CommandExportOptions = {
      form,
      salvage: rnd(2) === 0,
      checksum: false,
      existing: (['add', 'keep', 'replace'] as const)[rnd(3)],
      payloadMax: rnd(2) === 0 ? 20 : undefined,
      target: ['2.6', '5.0', '6.2', '7.0', '8.0', undefined][rnd(6)],
    };
    const source = rnd(2) === 0 ? bytes : cut(bytes, () => rnd(60));
    await run(source, options).catch((error: Error) => {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
    });
  }
});
