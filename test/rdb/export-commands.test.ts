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
import { RdbHarness } from '../support/rdb-harness.js';
import { ROOT } from '../support/servers.js';

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
        expect(error?.details, `cut at ${end}`).toMatchObject({ offset: end });
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

describe('what a target has', () => {
  const rare = new Map(files);
  const said = async (name: string, target: string | undefined, form: 'commands' | 'restore') => {
    const ran = await run(rare.get(name)!, { target, form, keepExpired: true });
    return { said: plain(ran), left: ran.leftOut.counts };
  };

  it('streams: counters, consumers, producers', async () => {
    const stream = (level: number) => [
      'XADD s 1700000000000-0 f v1',
      'XADD s 1700000000005-2 x y',
      'XADD s 1700000000007-3 f z',
      level < 700
        ? 'XSETID s 1700000000007-3'
        : 'XSETID s 1700000000007-3 ENTRIESADDED 4 MAXDELETEDID 1700000000001-0',
      `XGROUP CREATE s grp 1700000000000-3${level < 700 ? '' : ' ENTRIESREAD -1'}`,
      ...(level < 602 ? [] : ['XGROUP CREATECONSUMER s grp alice']),
      'XCLAIM s grp alice 0 1700000000000-0 TIME 1700000000005 RETRYCOUNT 1 JUSTID FORCE',
      ...(level < 602 ? [] : ['XGROUP CREATECONSUMER s grp bob']),
      'XCLAIM s grp bob 0 1700000000005-2 TIME 1700000000006 RETRYCOUNT 300 JUSTID FORCE',
    ];
    for (const target of ['5.0', '6.2', '7.0', '8.8']) {
      const level = Number(target[0]) * 100 + Number(target[2]);
      const { said: all } = await said('stream-v3', target, 'commands');
      expect(all.slice(1, -1), target).toEqual(stream(level));
    }
    const newest = await said('stream-v4', '8.8', 'commands');
    expect(newest.said.slice(1, 10)).toEqual(stream(808));
    expect(newest.said[10]).toBe('XCFGSET s IDMP-DURATION 100 IDMP-MAXSIZE 1000');
    expect(newest.said[11]).toMatch(/^XIDMPRECORD s \S+ \S+ \d+-\d+$/);
    expect((await said('stream-v4', '7.0', 'commands')).left.detail).toBeGreaterThan(0);
    const given = await said('stream-v5', '8.8', 'commands');
    expect(given.said.some((line) => /^XNACK s grp FAIL IDS 1 /.test(line))).toBe(true);
    expect(given.left).toEqual({});
    expect((await said('stream-v5', '8.6', 'commands')).left.detail).toBeGreaterThan(0);
  });

  it('field expiries', async () => {
    const fields = 'HSET h f1 v1 f2 v2 f3 v3';
    const times = [
      'HPEXPIREAT h 1700000000000 FIELDS 1 f2',
      'HPEXPIREAT h 1700000005000 FIELDS 1 f3',
    ];
    for (const target of [undefined, '7.4', '8.0', 'valkey 9.0']) {
      const { said: all, left } = await said('hash-meta', target, 'commands');
      expect([all.slice(1), left], target).toEqual([[fields, ...times], {}]);
    }
    for (const target of ['7.2', 'valkey-8.1', 'Redis 7.0.15']) {
      for (const form of ['commands', 'restore'] as const) {
        const { said: all, left } = await said('hash-meta', target, form);
        expect([all.slice(1), left], target).toEqual([[fields], { 'field-expiry': 2 }]);
      }
    }
    const early = await run(rare.get('hash-meta')!, { now: 1_700_000_000_000 });
    expect(plain(early).slice(1)).toEqual(['HSET h f1 v1 f3 v3', times[1]]);
    const forever = await run(rare.get('hash-meta')!, { persist: true });
    expect(plain(forever).slice(1)).toEqual([fields]);
  });

  it('payloads only where the target reads the type', async () => {
    const words = async (name: string, target: string | undefined) =>
      (await said(name, target, 'restore')).said.map((line) => line.split(' ')[0]);
    expect(await words('templates', '8.10')).toEqual([
      'SELECT',
      'HSET',
      'HSET',
      'RESTORE',
      'RESTORE',
      'RESTORE',
      'RESTORE',
    ]);
    expect(new Set((await words('templates', '7.0')).slice(1))).toEqual(new Set(['HSET']));
    // Valkey's own type, and the release candidate's of the same number
    expect((await words('valkey', 'valkey 9'))[1]).toBe('RESTORE');
    expect((await words('valkey', '8.0'))[1]).toBe('HSET');
    expect((await words('pre-ga-hash', undefined))[1]).toBe('HSET');
    expect((await words('rdb2-zipmap', undefined))[1]).toBe('RESTORE');
  });

  it.each(['commands', 'restore', 'aof'] as const)('streams, as %s', async (form) => {
    const file = rare.get('stream-v2')!;
    const isStream = ([word]: readonly string[]) => /^X/.test(word!);
    const old = await run(file, { form, target: '4.0' });
    expect(old.commands.filter(isStream)).toEqual([]);
    expect(old.leftOut.counts.type).toBeGreaterThan(0);
    const { commands } = await run(file, { form: 'commands', target: '5.0' });
    expect(commands.filter(isStream).length).toBeGreaterThan(0);
  });

  it('versions that are none', async () => {
    for (const target of ['', 'seven', '1.0', '2.4', 'keydb 6', '7.x']) {
      await expect(run(rare.get('rdb1')!, { target })).rejects.toThrow('not a server version');
    }
  });
});

it('names aside of only-missing keys hash to the same slot', async () => {
  const { commands } = await run(readFileSync(join(OWN, 'cluster-redis8.0.6-rdb12.rdb')), {
    existing: 'keep',
    target: '6.0',
  });
  const renames = commands.filter(([word]) => word === 'RENAMENX');
  expect(renames.length).toBeGreaterThan(0);
  for (const [, aside, name] of renames) {
    const tag = /\{([^}]+)\}/.exec(name!)?.[1];
    expect(aside).toBe(tag === undefined ? `respite:tmp:{${name}}` : `respite:tmp:${name}`);
  }
});
