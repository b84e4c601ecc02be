// Options of the functions of `respite/rdb`: a wrong one is named before anything is read, and the
// reason says what is allowed; what is allowed does what it says. Lack of memory is not the file's
// fault. Which module is run.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import vm from 'node:vm';
import { describe, expect, test } from 'vitest';
import { Inspector, MODE_CONVERT } from '../../host/core/inspector.js';
import { OPT_VERSION } from '../../host/rdb/convert-frames.js';
import type * as rdbLibrary from '../../host/rdb/index.js';
import {
  analyzeRdb,
  checkRdb,
  convertRdb,
  DiffPrefixes,
  diffRdb,
  exportCommands,
  exportCsv,
  exportJson,
  exportKeys,
  htmlReport,
  isRespiteError,
  mergeRdb,
  type RdbSource,
  readRdb,
  readRdbInfo,
  reportMemory,
  splitRdb,
  unescapeText,
} from '../../host/rdb/index.js';
import { inspectModule } from '../../host/rdb/module.js';
import { outputs } from '../../host/rdb/run.js';
import { splitOptions } from '../../host/rdb/split-by.js';
import { key, len, rdb, str } from '../support/rdb-build.js';
import { RdbHarness } from '../support/rdb-harness.js';
import { ROOT } from '../support/servers.js';

const bytes = readFileSync(join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb'));
const KEYS = 124;
const SELECTDB = 0xfe;

const h = new RdbHarness();
const file = (...parts: Uint8Array[]) => rdb(h, 'REDIS0011', ...parts);
/** A file with so many keys. */
const many = (count: number) =>
  file(...Array.from({ length: count }, (_, i) => key(0, `key:${i}`, str('value'))));

/** A source that must not be touched. */
const untouched: RdbSource = {
  pull: () => expect.fail('it was read'),
  close: () => expect.fail('it was closed'),
};

type Any = Record<string, unknown>;
type Call = (options: never) => unknown;

const CALLS: Record<string, Call> = {
  readRdb: (options) => readRdb(untouched, options),
  checkRdb: (options) => checkRdb(untouched, options),
  readRdbInfo: (options) => readRdbInfo(untouched, options),
  analyzeRdb: (options) => analyzeRdb(untouched, options),
  exportJson: (options) => exportJson(untouched, options),
  exportCsv: (options) => exportCsv(untouched, options),
  exportKeys: (options) => exportKeys(untouched, options),
  exportCommands: (options) => exportCommands(untouched, options),
  reportMemory: (options) => reportMemory(untouched, options),
  convertRdb: (options) => convertRdb(untouched, options),
  mergeRdb: (options) => mergeRdb([untouched, untouched], options),
  splitRdb: (options) => splitRdb(untouched, { by: 'db' }, options),
  diffRdb: (options) => {
    const open = () => untouched;
    return diffRdb(open, open, options);
  },
};
const ALL = Object.keys(CALLS);
const FILTERING = ALL.filter((name) => name !== 'checkRdb' && name !== 'readRdbInfo');

async function errorOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return expect.fail('there was no error');
}

/** The reason given for a wrong option. */
async function refused(call: () => unknown, option: string): Promise<string> {
  const error = await errorOf(call);
  if (!isRespiteError(error, 'ERR_RESPITE_INVALID_CONFIG')) throw error;
  expect(error.details.option).toBe(option);
  expect(error.message).toBe(`${option}: ${error.details.reason}`);
  return error.details.reason;
}

async function gathered(blocks: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const block of blocks) all.push(block.slice());
  return Buffer.concat(all).toString('latin1');
}

/** Databases and names of the keys of a file. */
async function namesOf(source: RdbSource, options?: Parameters<typeof readRdb>[1]) {
  const names: string[] = [];
  for await (const { db, key: name } of readRdb(source, options)) {
    names.push(`${db} ${Buffer.from(name)}`);
  }
  return names;
}

const call = (name: string, options: unknown) => () => CALLS[name]!(options as never);

describe('every function', () => {
  const shared: [option: string, value: unknown, reason: RegExp][] = [
    ['checksum', 'no', /^must be true or false, not "no"$/],
    ['allowFuture', 1, /^must be true or false, not 1$/],
    ['salvage', null, /^must be true or false, not null$/],
    ['signal', new AbortController(), /^must be an AbortSignal, not a value of the kind Abort/],
    ['signal', { aborted: false }, /^must be an AbortSignal, not an object$/],
    ['onProgress', 'loud', /^must be a function, not "loud"$/],
    ['wasm', 'rdb.wasm', /^must be the bytes of a .wasm, or a WebAssembly.Module, not "rdb.wasm"$/],
    ['wasm', Promise.resolve(), /WebAssembly.Module, not a value of the kind Promise$/],
    ['nosuch', 1, /^there is no such option, only .*checksum, .* and \w+$/],
  ];
  test.each(ALL)('%s', async (name) => {
    for (const [option, value, reason] of shared) {
      expect(await refused(call(name, { [option]: value }), option)).toMatch(reason);
    }
    for (const options of [null, 'x', [], new Map()]) {
      expect(await refused(call(name, options), 'options')).toMatch(/^must be an object, not /);
    }
  });

  test('those that give a promise reject, the others throw', async () => {
    const wrong = { checksum: 3 };
    for (const name of ALL) {
      const isAsync = /^(check|readRdbInfo|analyze)/.test(name);
      if (isAsync) await expect(call(name, wrong)()).rejects.toThrow('checksum');
      else expect(call(name, wrong)).toThrow('checksum');
    }
  });

  test('an AbortController can stand for the options', async () => {
    const aborted = new AbortController();
    aborted.abort();
    const error = await errorOf(() => namesOf(bytes, aborted));
    expect(isRespiteError(error, 'ERR_RESPITE_ABORTED')).toBe(true);
    expect(await namesOf(bytes, new AbortController())).toHaveLength(KEYS);
  });

  test('undefined is an option left out', async () => {
    const none = { checksum: undefined, filter: undefined, values: undefined, nosuch: undefined };
    expect(await namesOf(bytes, none as object)).toHaveLength(KEYS);
    const filter = { db: undefined, match: undefined, regex: undefined, limit: undefined };
    expect(await namesOf(bytes, { filter })).toHaveLength(KEYS);
    expect((await analyzeRdb(bytes, { findings: { largeBytes: undefined } })).findings).toEqual(
      (await analyzeRdb(bytes)).findings,
    );
  });
});

describe('filters', () => {
  const wrong: [filter: unknown, option: string, reason: RegExp][] = [
    [7, 'filter', /^must be an object, not 7$/],
    [null, 'filter', /^must be an object, not null$/],
    [{ prefix: 'a' }, 'filter.prefix', /^there is no such option, only db, match, .* and limit$/],
    [{ minBytes: '10kb' }, 'filter.minBytes', /^must be a number of at least 0, not "10kb"$/],
    [{ minBytes: Number.NaN }, 'filter.minBytes', /not NaN$/],
    [{ minBytes: -1 }, 'filter.minBytes', /not -1$/],
    [{ db: Number.NaN }, 'filter.db', /^must be a whole number from 0 to 4095, not NaN$/],
    [{ db: [0, 1.5] }, 'filter.db', /not 1.5$/],
    [{ db: '0' }, 'filter.db', /not "0"$/],
    [{ db: [] }, 'filter.db', /^must not be an empty array$/],
    [{ db: 4096 }, 'filter.db', /not 4096$/],
    [{ type: 'hashes' }, 'filter.type', /^must be "string", .* or "other", not "hashes"$/],
    [{ type: ['hash', 'x'] }, 'filter.type', /not "x"$/],
    [{ type: [] }, 'filter.type', /empty/],
    [{ match: /a/ }, 'filter.match', /^must be a string, not a value of the kind RegExp$/],
    [{ match: [] }, 'filter.match', /empty/],
    [{ not: [1] }, 'filter.not', /^must be a string, not 1$/],
    [{ regex: '^a' }, 'filter.regex', /^must be a regular expression, not "\^a"$/],
    [{ slots: [-1, 20000] }, 'filter.slots', /^must be \[from, to\] with 0 <= from <= to <= 16383/],
    [{ slots: [9, 5] }, 'filter.slots', /from <= to/],
    [{ slots: [1] }, 'filter.slots', /from, to/],
    [{ slots: 5 }, 'filter.slots', /not 5$/],
    [{ limit: Number.NaN }, 'filter.limit', /^must be a whole number of at least 0, not NaN$/],
    [{ limit: 1.5 }, 'filter.limit', /not 1.5$/],
    [{ expiresBefore: new Date() }, 'filter.expiresBefore', /^must be a time in Unix ms, not a/],
    [{ expiresAfter: Number.NaN }, 'filter.expiresAfter', /Unix ms/],
    [{ noExpiry: 'yes' }, 'filter.noExpiry', /true or false/],
  ];
  test.each(FILTERING)('%s', async (name) => {
    for (const [filter, option, reason] of wrong) {
      expect(await refused(call(name, { filter }), option)).toMatch(reason);
    }
  });

  test('what is allowed finds what it should', async () => {
    const all = await namesOf(bytes);
    const count = async (filter: rdbLibrary.KeyFilter) => (await namesOf(bytes, { filter })).length;
    expect(await count({ limit: Number.POSITIVE_INFINITY, not: [], minBytes: 0 })).toBe(KEYS);
    expect(await count({ minBytes: 0.5, slots: [0, 16383] })).toBe(KEYS);
    expect(await count({ limit: 3 })).toBe(3);
    const some = await count({ expiresBefore: Number.POSITIVE_INFINITY });
    expect(some + (await count({ noExpiry: true }))).toBe(all.length);
    const foreign = vm.runInNewContext('({ regex: /^s/, type: ["string"], noExpiry: false })');
    const own = { regex: /^s/, type: ['string'], noExpiry: false } as const;
    expect(await count(foreign)).toBe(await count(own));
  });
});

describe('options of single functions', () => {
  const wrong: [name: string, options: Any, option: string, reason: RegExp][] = [
    ['readRdb', { values: 'keys' }, 'values', /^must be "none", "all" or "stream", not "keys"$/],
    [
      'readRdb',
      { elementBytesMax: -500 },
      'elementBytesMax',
      /^must be a whole number of at least/,
    ],
    ['readRdb', { elementBytesMax: Number.NaN }, 'elementBytesMax', /not NaN$/],
    ['readRdb', { onLongString: true }, 'onLongString', /^must be a function, not true$/],
    ['checkRdb', { filter: {} }, 'filter', /^there is no such option/],
    ['checkRdb', { partial: true }, 'partial', /^there is no such option/],
    ['readRdbInfo', { partial: 'yes' }, 'partial', /true or false/],
    [
      'exportJson',
      { form: 'ndjson' },
      'form',
      /^must be "array", "lines" or "flat", not "ndjson"$/,
    ],
    ['exportJson', { form: 'constructor' }, 'form', /not "constructor"$/],
    [
      'exportJson',
      { escape: 'raw' },
      'escape',
      /^must be "utf8", "latin1" or "base64", not "raw"$/,
    ],
    ['exportJson', { keysOnly: 1 }, 'keysOnly', /true or false/],
    ['exportJson', { sizes: 'all' }, 'sizes', /true or false/],
    ['exportJson', { values: 'all' }, 'values', /^there is no such option/],
    ['exportCsv', { columns: 'x' }, 'columns', /^must be "rdb-tools" or "go", not "x"$/],
    [
      'exportCsv',
      { escape: 'latin1' },
      'escape',
      /^must be "utf8", "base64" or "raw", not "latin1"$/,
    ],
    ['exportCsv', { header: 'no' }, 'header', /true or false/],
    ['exportKeys', { escape: 'latin1' }, 'escape', /^must be "utf8", "repr", "base64" or "raw"/],
    ['exportKeys', { separator: '\n' }, 'separator', /^must be "newline" or "nul", not "\\n"$/],
    ['exportKeys', { db: 0 }, 'db', /true or false/],
    ['reportMemory', { format: 'json' }, 'format', /^must be "csv" or "ndjson", not "json"$/],
    ['reportMemory', { header: 0 }, 'header', /true or false/],
    [
      'exportCommands',
      { form: 'resp' },
      'form',
      /^must be "commands", "restore" or "aof", not "resp"/,
    ],
    [
      'exportCommands',
      { existing: 'skip' },
      'existing',
      /^must be "add", "replace" or "keep", not/,
    ],
    ['exportCommands', { target: 7 }, 'target', /^must be a string, not 7$/],
    ['exportCommands', { target: 'seven' }, 'target', /^not a server version: seven \(say 7.0/],
    ['exportCommands', { keepExpired: 1 }, 'keepExpired', /true or false/],
    ['exportCommands', { persist: 'yes' }, 'persist', /true or false/],
    ['exportCommands', { functions: 'no' }, 'functions', /true or false/],
    [
      'exportCommands',
      { batch: 0 },
      'batch',
      /^must be a whole number from 1 to 4294967295, not 0/,
    ],
    ['exportCommands', { payloadMax: 0 }, 'payloadMax', /^must be a whole number of at least 1/],
    ['exportCommands', { now: new Date() }, 'now', /^must be a time in Unix ms, not a/],
    [
      'exportCommands',
      { databases: -1 },
      'databases',
      /^must be a whole number from 0 to 2147483647/,
    ],
    ['exportCommands', { databases: [[0, 3]] }, 'databases', /^must be a Map or an object, as /],
    ['exportCommands', { databases: { zero: 3 } }, 'databases', /not "zero"$/],
    ['exportCommands', { databases: { 0: -3 } }, 'databases', /not -3$/],
    ['exportCommands', { databases: new Map([['0', 3]]) }, 'databases', /not "0"$/],
    ['exportCommands', { mapDb: { 0: 3 } }, 'mapDb', /^there is no such option, only .* databases/],
    ['convertRdb', { version: 16 }, 'version', /RDB versions are 1 to 15, and 80 for Valkey 9$/],
    ['convertRdb', { version: '9' }, 'version', /^cannot write RDB version 9: /],
    ['convertRdb', { mapDb: [3] }, 'mapDb', /^must be a Map or an object, as \{ 0: 3 \} for/],
    ['convertRdb', { mapDb: new Map([[0, 2 ** 31]]) }, 'mapDb', /not 2147483648$/],
    ['convertRdb', { dropExpiry: 1 }, 'dropExpiry', /true or false/],
    ['convertRdb', { compress: true }, 'compress', /^must be "source", "always" or "never"/],
    ['convertRdb', { onLoss: {} }, 'onLoss', /^must be a function, not an object$/],
    ['convertRdb', { strict: 'yes' }, 'strict', /true or false/],
    [
      'convertRdb',
      { tableBytes: '6mb' },
      'tableBytes',
      /^must be a number of at least 0, not "6mb"$/,
    ],
    ['mergeRdb', { duplicates: 'replace' }, 'duplicates', /^must be "error", "first", "last" or/],
    ['mergeRdb', { mapDb: [{}, {}, {}] }, 'mapDb', /^takes at most 2$/],
    ['mergeRdb', { mapDb: [undefined, { 0: 'x' }] }, 'mapDb', /not "x"$/],
    ['splitRdb', { mapDb: 3 }, 'mapDb', /^must be a Map or an object/],
    ['diffRdb', { tableBytes: Number.NaN }, 'tableBytes', /not NaN$/],
    ['diffRdb', { values: 'all' }, 'values', /^there is no such option/],
    ['analyzeRdb', { nowMs: 'now' }, 'nowMs', /^must be a time in Unix ms, not "now"$/],
    ['analyzeRdb', { top: 1001 }, 'top', /^must be a whole number from 0 to 1000, not 1001$/],
    ['analyzeRdb', { prefixNodes: 1 }, 'prefixNodes', /^must be a whole number from 64 to 1048576/],
    ['analyzeRdb', { prefixes: ':' }, 'prefixes', /^must be an object, not ":"$/],
    ['analyzeRdb', { prefixes: { depth: -1 } }, 'prefixes.depth', /at least 0, not -1$/],
    [
      'analyzeRdb',
      { prefixes: { sep: ':' } },
      'prefixes.sep',
      /^there is no such option, only sep/,
    ],
    ['analyzeRdb', { slots: 'some' }, 'slots', /true or false/],
    [
      'analyzeRdb',
      { findings: { largeBytes: '1mb' } },
      'findings.largeBytes',
      /at least 0, not "1/,
    ],
    ['analyzeRdb', { findings: { big: 1 } }, 'findings.big', /^there is no such option/],
    ['analyzeRdb', { partial: 1 }, 'partial', /true or false/],
  ];
  test.each(wrong)('%s %j', async (name, options, option, reason) => {
    expect(await refused(call(name, options), option)).toMatch(reason);
  });

  test('arguments beside the options', async () => {
    const none = undefined as never;
    expect(await refused(() => mergeRdb([]), 'sources')).toMatch(/empty/);
    expect(await refused(() => mergeRdb(bytes as never), 'sources')).toMatch(/must be an array/);
    expect(await refused(() => diffRdb(bytes as never, none), 'first')).toMatch(/be a function/);
    expect(await refused(() => diffRdb(() => bytes, none), 'second')).toMatch(/be a function/);
    const wrongTitle = { title: 5 } as never;
    const analysis = await analyzeRdb(bytes);
    expect(await refused(() => htmlReport(analysis, wrongTitle), 'title')).toMatch(/a string/);
    expect(await refused(() => unescapeText('x', 'raw' as never), 'escape')).toMatch(/"repr"/);
    expect(await refused(() => new DiffPrefixes(7 as never), 'separators')).toMatch(/a string/);
  });
});

describe('splitRdb', () => {
  const wrong: [by: unknown, option: string, reason: RegExp][] = [
    [undefined, 'by', /^must be "db", "type", .* or "size", not undefined$/],
    [{ by: 'foo' }, 'by', /not "foo"$/],
    [{ by: 'hash', parts: 0 }, 'parts', /^must be a whole number from 1 to 1024, not 0$/],
    [{ by: 'slot', parts: 1e6 }, 'parts', /not 1000000$/],
    [{ by: 'hash' }, 'parts', /not undefined$/],
    [{ by: 'size', bytes: 0 }, 'bytes', /^must be a whole number of at least 1, not 0$/],
    [{ by: 'size', bytes: Number.NaN }, 'bytes', /not NaN$/],
    [{ by: 'slots', ranges: [] }, 'ranges', /empty/],
    [{ by: 'slots', ranges: [[0, 16384]] }, 'ranges', /16383/],
    [{ by: 'slots', ranges: Array(1024).fill([0, 0]) }, 'ranges', /^takes at most 1023$/],
    [{ by: 'pattern', patterns: 'a*' }, 'patterns', /^must be an array, not "a\*"$/],
    [{ by: 'prefix', prefixes: [/a/] }, 'prefixes', /^must be a string/],
    [{ by: 'db', parts: 3 }, 'parts', /^there is no such option, only by$/],
  ];
  test.each(wrong)('%j', async (by, option, reason) => {
    expect(await refused(() => splitRdb(untouched, by as never), option)).toMatch(reason);
  });

  test('as many parts as there can be, and one more', async () => {
    const parts = splitRdb(many(2000), { by: 'hash', parts: 1024 });
    for await (const _ of parts);
    expect(parts.parts).toHaveLength(1024);
    expect(parts.summary.keys).toBe(2000);
    const run = async (source: RdbSource, by: rdbLibrary.SplitBy) => {
      for await (const _ of splitRdb(source, by));
    };
    expect(await refused(() => run(many(1100), { by: 'size', bytes: 1 }), 'by')).toMatch(
      /1024 parts/,
    );
    const databases = Array.from({ length: 1100 }, (_, i) =>
      Buffer.concat([Buffer.of(SELECTDB), len(i), key(0, 'k', str('v'))]),
    );
    expect(await refused(() => run(file(...databases), { by: 'db' }), 'by')).toMatch(/1024/);
  });
});

describe('databases', () => {
  const source = file(key(0, 'k', str('v')));
  const maps: [kind: string, map: rdbLibrary.DbMap][] = [
    ['a Map', new Map([[0, 3]])],
    ['an object', { 0: 3 }],
    ['a Map of another realm', vm.runInNewContext('new Map([[0, 3]])')],
  ];
  test.each(maps)('%s', async (_, map) => {
    const made = Buffer.from(await gathered(convertRdb(source, { mapDb: map })), 'latin1');
    expect(await namesOf(made)).toEqual(['3 k']);
    const options = { mapDb: [undefined, map] };
    const both = Buffer.from(await gathered(mergeRdb([source, source], options)), 'latin1');
    expect(await namesOf(both)).toEqual(['0 k', '3 k']);
    const said = await gathered(exportCommands(source, { databases: map }));
    expect(said).toContain('SELECT\r\n$1\r\n3\r\n');
  });
});

describe('lack of memory', () => {
  test('is not the fault of the file', async () => {
    const inspector = new Inspector(await inspectModule());
    inspector.filter();
    // more parts than there is room for
    inspector.options({ ...splitOptions({ by: 'size', bytes: 1 }), [OPT_VERSION]: 11 });
    inspector.open(MODE_CONVERT);
    const error = await errorOf(async () => {
      for await (const _ of outputs(inspector, many(1100)));
    });
    if (!isRespiteError(error, 'ERR_RESPITE_OUT_OF_MEMORY')) throw error;
    expect(error.message).toMatch(/^There was not enough memory to go on at offset \d+, key "key:/);
    expect(error.details).toMatchObject({
      offset: expect.any(Number),
      key: expect.stringMatching(/^key:10/),
      db: 0,
    });
  });

  test('is told by the codes the core has for it', () => {
    const source = (name: string) => readFileSync(join(ROOT, 'assembly', name), 'utf8');
    const host = readFileSync(join(ROOT, 'host/core/inspector.ts'), 'utf8');
    for (const [name, code] of [
      ['ERR_MEMORY', /\bERR_MEMORY: i32 = (\d+)/.exec(source('rdb/opcodes.ts'))?.[1]],
      [
        'INSPECT_ERR_MEMORY',
        /INSPECT_ERR_MEMORY: i32 = (\d+)/.exec(source('inspect/failure.ts'))?.[1],
      ],
    ]) {
      expect(host).toContain(`\nconst ${name} = ${code};`);
    }
  });
});

describe('wasm', () => {
  const path = join(ROOT, 'build/rdb.wasm');
  const wasm = readFileSync(path);
  const buffer = wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length) as ArrayBuffer;
  const shared = new Uint8Array(new SharedArrayBuffer(wasm.length));
  shared.set(wasm);
  const padded = new Uint8Array(wasm.length + 9);
  padded.set(wasm, 5);
  const realm = vm.createContext({ hex: wasm.toString('hex') });
  const bytesThere = 'Uint8Array.from(hex.match(/../g), (two) => parseInt(two, 16))';
  const good: [kind: string, wasm: rdbLibrary.WasmSource][] = [
    ['a Buffer', wasm],
    ['an ArrayBuffer', buffer],
    ['a DataView', new DataView(padded.buffer, 5, wasm.length)],
    ['shared memory', shared],
    ['a module', new WebAssembly.Module(buffer)],
    ['bytes of another realm', vm.runInContext(bytesThere, realm)],
    ['an ArrayBuffer of another realm', vm.runInContext(`${bytesThere}.buffer`, realm)],
    ['a module of another realm', vm.runInContext(`new WebAssembly.Module(${bytesThere})`, realm)],
  ];
  test.each(good)('%s', async (_, given) => {
    expect(await namesOf(bytes, { wasm: given })).toHaveLength(KEYS);
  });

  test('of a module that is none nothing is read', async () => {
    const core = readFileSync(join(ROOT, 'build/core.wasm'));
    const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
    const quiet: RdbSource = { pull: () => expect.fail('it was read') };
    const read = async (given: Uint8Array) => namesOf(quiet, { wasm: given });
    const broken = await errorOf(() => read(wasm.subarray(0, 100)));
    if (!isRespiteError(broken, 'ERR_RESPITE_INVALID_CONFIG')) throw broken;
    expect(broken.details).toMatchObject({ option: 'wasm' });
    expect(broken.cause).toBeInstanceOf(WebAssembly.CompileError);
    for (const given of [core, empty]) {
      expect(await refused(() => read(given), 'wasm')).toMatch(/must be the rdb.wasm of this/);
    }
    const convert = async () => gathered(convertRdb(quiet, { wasm: empty }));
    expect(await refused(convert, 'wasm')).toMatch(/must be the rdb.wasm of this/);
  });
});
