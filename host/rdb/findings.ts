// What of an analysis is worth a look, in words and with the numbers behind it.

import {
  type Counted,
  type FoundCell,
  keyRow,
  type RawAnalysis,
  type TopRow,
  type TopTable,
} from './analysis-decode.js';
import type { BytesText, Finding, FindingExample, RdbAnalysis } from './analysis-types.js';
import type { NamedBranch } from './prefix-tables.js';

/** From where on something is a finding. */
export interface FindingLimits {
  /** Estimated bytes of a key; default 1 MiB. */
  largeBytes: number;
  /** Elements of a collection; default 10,000. */
  manyElements: number;
  /** Bytes of one element of a collection; default 256 KiB. */
  elementBytes: number;
  /** Bytes of a name; default 128. */
  nameBytes: number;
  /** Seconds without use; default 30 days. */
  idleSec: number;
  /** Pending entries of a stream; default 1,000. */
  pendingEntries: number;
  /** Keys under a prefix before expiry or small strings are judged; default 100. */
  prefixKeys: number;
  /** Small strings (up to 64 bytes) under a prefix; default 1,000. */
  smallStrings: number;
  /** Share of the keys with expiry that one hour ends; default 0.2. */
  waveShare: number;
  /** A slot has so many times the mean memory; default 5. */
  slotSkew: number;
}

export const FINDING_LIMITS: FindingLimits = {
  largeBytes: 1 << 20,
  manyElements: 10_000,
  elementBytes: 1 << 18,
  nameBytes: 128,
  idleSec: 30 * 86_400,
  pendingEntries: 1000,
  prefixKeys: 100,
  smallStrings: 1000,
  waveShare: 0.2,
  slotSkew: 5,
};
export const EXAMPLES = 5;

/** A text in several lines of source. */
const words = (...parts: string[]) => parts.join(' ');

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${UNITS[unit]}`;
}
/** 1,234,567: as toLocaleString would, which takes 50 ms to begin with. */
export const count = (n: number) => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');
const nouns = (n: number, noun: string) => `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
const percent = (share: number) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;

interface Context {
  raw: RawAnalysis;
  analysis: Omit<RdbAnalysis, 'findings'>;
  named: readonly NamedBranch[];
  limits: FindingLimits;
}

const NONE: FoundCell = { keys: 0, memoryBytes: 0, savingBytes: 0, own: 0 };
const cell = ({ raw }: Context, name: Counted) => raw.found.get(name) ?? NONE;

function keyExamples(rows: readonly TopRow[] | undefined, own?: string): FindingExample[] {
  return (rows ?? []).slice(0, EXAMPLES).map((row) => ({
    ...{ name: row.key, kind: 'key', db: row.db, row: keyRow(row) },
    numbers: {
      ...{ memoryBytes: row.memoryBytes, count: row.count },
      ...(own === undefined ? {} : { [own]: row.measure }),
    },
  }));
}

const examples = ({ raw }: Context, table: TopTable, own?: string) =>
  keyExamples(raw.tops.get(table), own);

/** A finding that the core has counted. */
function counted(
  context: Context,
  name: Counted,
  say: (found: FoundCell) => Omit<Finding, 'keys' | 'memoryBytes'>,
): Finding[] {
  const found = cell(context, name);
  if (found.keys === 0) return [];
  const { keys, memoryBytes } = found;
  return [{ ...say(found), keys, memoryBytes }];
}

type Rule = (context: Context) => Finding[];

const largeKeys: Rule = (context) =>
  counted(context, 'large', ({ keys, memoryBytes }) => {
    const { largeBytes } = context.limits;
    const share = memoryBytes / Math.max(context.analysis.total.memoryBytes, 1);
    return {
      ...{ id: 'large-keys', severity: 'warning', savingBytes: null },
      title: words(
        `${nouns(keys, 'key')} of ${sizeText(largeBytes)} or more hold ${percent(share)} of`,
        'the memory.',
      ),
      advice: 'Large keys block the server when they are read whole, deleted or moved: split them.',
      numbers: { largeBytes, keys, share },
      examples: examples(context, 'size').filter((one) => one.numbers.memoryBytes! >= largeBytes),
    };
  });

const manyElements: Rule = (context) =>
  counted(context, 'long', ({ keys, own }) => {
    const { manyElements: least } = context.limits;
    return {
      ...{ id: 'many-elements', severity: 'notice', savingBytes: null },
      title: words(
        `${nouns(keys, 'collection')} with ${count(least)} elements or more, ${count(own)}`,
        'together.',
      ),
      advice:
        'Commands over the whole collection take as long as it is: use SCAN forms, or split it.',
      numbers: { manyElements: least, keys, elements: own },
      examples: examples(context, 'length').filter((one) => one.numbers.count! >= least),
    };
  });

const hugeElements: Rule = (context) =>
  counted(context, 'element', ({ keys, own }) => {
    const { elementBytes } = context.limits;
    return {
      ...{ id: 'huge-elements', severity: 'notice', savingBytes: null },
      title: words(
        `${nouns(keys, 'collection')} with a single element of ${sizeText(elementBytes)} or`,
        'more.',
      ),
      advice: 'Keep large values as strings of their own and only their names in the collection.',
      numbers: { elementBytes, keys, largestSum: own },
      examples: examples(context, 'element', 'largest'),
    };
  });

const expired: Rule = (context) =>
  counted(context, 'expired', ({ keys, memoryBytes }) => ({
    ...{ id: 'expired-keys', severity: 'info', savingBytes: memoryBytes },
    title: words(
      `${nouns(keys, 'key')} had expired and still stood in the file,`,
      `${sizeText(memoryBytes)}.`,
    ),
    advice: 'They vanish when the file is loaded; many of them mean expiry lags behind.',
    numbers: { keys, nowMs: context.analysis.nowMs },
    examples: examples(context, 'expired'),
  }));

const barely: Rule = (context) => {
  const [hashes, sets, zsets, lists] = (
    ['barelyHash', 'barelySet', 'barelyZset', 'barelyList'] as const
  ).map((name) => cell(context, name)) as [FoundCell, FoundCell, FoundCell, FoundCell];
  const all = [hashes, sets, zsets, lists];
  const sum = (pick: (one: FoundCell) => number) => all.reduce((a, one) => a + pick(one), 0);
  const keys = sum((one) => one.keys);
  if (keys === 0) return [];
  const savingBytes = sum((one) => one.savingBytes);
  const byCount = cell(context, 'barelyCount').keys;
  return [
    {
      ...{ id: 'barely-not-compact', severity: 'notice', keys, savingBytes },
      memoryBytes: sum((one) => one.memoryBytes),
      title: words(
        `${nouns(keys, 'collection')} just above a limit of the compact encoding:`,
        `${count(byCount)} by number of elements, ${count(keys - byCount)} by the length of`,
        'one.',
      ),
      advice: words(
        'Raising *-max-listpack-entries or -value to their double saves about',
        `${sizeText(savingBytes)}.`,
      ),
      numbers: {
        ...{ keys, byCount, byLength: keys - byCount, hashes: hashes.keys, sets: sets.keys },
        ...{ zsets: zsets.keys, lists: lists.keys },
      },
      examples: examples(context, 'barely', 'savingBytes'),
    },
  ];
};

const integerSets: Rule = (context) =>
  counted(context, 'ints', ({ keys, savingBytes, own }) => ({
    ...{ id: 'integer-sets-as-tables', severity: 'notice', savingBytes },
    title: words(
      `${nouns(keys, 'set')} of whole numbers, ${count(own)} in all, too long for the integer`,
      'encoding.',
    ),
    advice: words(
      'A higher set-max-intset-entries, or sets split by range, save about',
      `${sizeText(savingBytes)}.`,
    ),
    numbers: { keys, members: own },
    examples: examples(context, 'ints', 'savingBytes'),
  }));

const almostIntegers: Rule = (context) =>
  counted(context, 'digits', ({ keys, own }) => {
    // the object of a number holds it; text takes 32 bytes and more instead of 16
    const savingBytes = keys * 16;
    return {
      ...{ id: 'almost-integers', severity: 'info', savingBytes },
      title: words(
        `${nouns(keys, 'string')} of digits that are stored as text: zeros in front, a plus,`,
        'or too large.',
      ),
      advice: 'Written as plain 64-bit numbers they would need no text.',
      numbers: { keys, characters: own },
      examples: examples(context, 'digits', 'length'),
    };
  });

const longNames: Rule = (context) =>
  counted(context, 'name', ({ keys, own }) => {
    const { nameBytes } = context.limits;
    return {
      ...{ id: 'long-names', severity: 'info', savingBytes: null },
      title: words(
        `${nouns(keys, 'key')} with names of ${nameBytes} bytes or more, ${sizeText(own)} of`,
        'names.',
      ),
      advice: 'Names are kept whole for each key: shorten or hash them.',
      numbers: { nameBytes, keys, bytesOfNames: own },
      examples: examples(context, 'name', 'nameBytes'),
    };
  });

const idle: Rule = (context) =>
  counted(context, 'idle', ({ keys, memoryBytes }) => {
    const days = context.limits.idleSec / 86_400;
    return {
      ...{ id: 'idle-keys', severity: 'notice', savingBytes: memoryBytes },
      title: `${nouns(keys, 'key')} not used for ${count(days)} days, ${sizeText(memoryBytes)}.`,
      advice: 'Give them an expiry, or move them to cheaper storage.',
      numbers: { keys, idleSec: context.limits.idleSec },
      examples: examples(context, 'idle'),
    };
  });

const pending: Rule = (context) =>
  counted(context, 'pending', ({ keys, own }) => ({
    ...{ id: 'pending-entries', severity: 'warning', savingBytes: null },
    title: words(
      `${nouns(keys, 'stream')} with ${count(context.limits.pendingEntries)} pending entries`,
      `or more, ${count(own)} together.`,
    ),
    advice: 'Consumers take entries and do not acknowledge them: look for dead ones (XPENDING).',
    numbers: { keys, pending: own, pendingEntries: context.limits.pendingEntries },
    examples: examples(context, 'pending', 'pending'),
  }));

// ---- from sums

const prefixExample = (name: BytesText, numbers: Record<string, number>): FindingExample => ({
  ...{ name, kind: 'prefix', db: null, numbers, row: null },
});

/** The named prefixes that satisfy `pick`, without those inside one that was taken. */
function outermost(context: Context, pick: (one: NamedBranch) => boolean): NamedBranch[] {
  const taken: NamedBranch[] = [];
  const isInside = (one: NamedBranch) =>
    taken.some(({ name }) => name.every((byte, i) => one.name[i] === byte));
  const ordered = [...context.named].sort((a, b) => a.name.length - b.name.length);
  for (const one of ordered) if (pick(one) && !isInside(one)) taken.push(one);
  return taken;
}

const missingExpiry: Rule = (context) => {
  const found = outermost(context, ({ node }) => {
    const share = node.expires / node.keys;
    return node.keys >= context.limits.prefixKeys && share >= 0.5 && share < 1;
  }).sort((a, b) => b.node.noExpiryBytes - a.node.noExpiryBytes);
  const keys = found.reduce((sum, { node }) => sum + node.keys - node.expires, 0);
  if (keys === 0) return [];
  const memoryBytes = found.reduce((sum, { node }) => sum + node.noExpiryBytes, 0);
  return [
    {
      ...{ id: 'missing-expiry', severity: 'warning', keys, memoryBytes },
      savingBytes: memoryBytes,
      title: words(
        `${nouns(keys, 'key')} without expiry under ${count(found.length)} prefixes whose`,
        `keys mostly expire, ${sizeText(memoryBytes)}.`,
      ),
      advice: 'Somewhere the expiry is forgotten or lost (SET without KEEPTTL, RENAME, PERSIST).',
      numbers: { keys, prefixes: found.length, keysMin: context.limits.prefixKeys },
      examples: found.slice(0, EXAMPLES).map(({ row, node }) =>
        prefixExample(row.prefix, {
          ...{ keys: node.keys, expires: node.expires, without: node.keys - node.expires },
          memoryBytes: node.noExpiryBytes,
        }),
      ),
    },
  ];
};

/** Fields of one hash that stays compact, in what small strings would become. */
const BUCKET = 100;
/** Name, dictionary entry and object of such a hash. */
const BUCKET_BYTES = 120;

const smallStrings: Rule = (context) => {
  const saved = ({ name, node }: NamedBranch) => {
    const packed = node.smallPayload - node.small * name.length + node.small * 4;
    return node.smallBytes - packed - (node.small / BUCKET) * BUCKET_BYTES;
  };
  const found = outermost(context, ({ node }) => node.small >= context.limits.smallStrings)
    .map((one) => ({ ...one, saving: saved(one) }))
    .filter(({ saving, node }) => saving > node.smallBytes / 4)
    .sort((a, b) => b.saving - a.saving);
  if (found.length === 0) return [];
  const sum = (pick: (one: (typeof found)[number]) => number) =>
    Math.round(found.reduce((total, one) => total + pick(one), 0));
  const [keys, savingBytes] = [sum(({ node }) => node.small), sum(({ saving }) => saving)];
  return [
    {
      ...{ id: 'small-strings', severity: 'notice', keys, savingBytes },
      memoryBytes: sum(({ node }) => node.smallBytes),
      title: words(
        `${count(keys)} small strings that do not expire, under`,
        `${nouns(found.length, 'prefix').replace('prefixs', 'prefixes')}.`,
      ),
      advice: words(
        `As fields of hashes of about ${BUCKET} they would take ${sizeText(savingBytes)}`,
        'less.',
      ),
      numbers: { keys, prefixes: found.length, bucket: BUCKET },
      examples: found.slice(0, EXAMPLES).map(({ row, node, saving }) =>
        prefixExample(row.prefix, {
          ...{ keys: node.small, memoryBytes: node.smallBytes },
          savingBytes: Math.round(saving),
        }),
      ),
    },
  ];
};

const expiryWave: Rule = ({ raw, analysis, limits }) => {
  const { expires } = analysis.total;
  const most = raw.hours.reduce<(typeof raw.hours)[number] | undefined>(
    (best, one) => (best === undefined || one.keys > best.keys ? one : best),
    undefined,
  );
  if (most === undefined || most.keys < limits.prefixKeys || expires === 0) return [];
  const share = most.keys / expires;
  if (share < limits.waveShare) return [];
  const { hour, keys, memoryBytes } = most;
  return [
    {
      ...{ id: 'expiry-wave', severity: 'info', keys, memoryBytes, savingBytes: null },
      title: words(
        `${percent(share)} of the keys that expire do so in one hour, ${count(hour)} hours`,
        'from now.',
      ),
      advice: 'Spread expiries with a random part, so that not all have to be made anew at once.',
      numbers: { keys, share, hour },
      examples: [],
    },
  ];
};

const slotSkew: Rule = ({ raw, analysis, limits }) => {
  const mean = analysis.total.memoryBytes / 16384;
  const isCluster = raw.slots.length >= 100;
  const found = raw.slots
    .filter(
      ({ memoryBytes }) => isCluster && memoryBytes >= Math.max(mean * limits.slotSkew, 1 << 20),
    )
    .sort((a, b) => b.memoryBytes - a.memoryBytes);
  const [most] = found;
  if (most === undefined) return [];
  const sum = (pick: (one: (typeof found)[number]) => number) =>
    found.reduce((total, one) => total + pick(one), 0);
  return [
    {
      ...{ id: 'slot-skew', severity: 'info', savingBytes: null },
      ...{ keys: sum((one) => one.keys), memoryBytes: sum((one) => one.memoryBytes) },
      title: words(
        `${nouns(found.length, 'slot')} with ${limits.slotSkew} times the mean memory or`,
        `more; slot ${most.slot} has ${sizeText(most.memoryBytes)}.`,
      ),
      advice: 'A hash tag or one large key gathers data in one slot: a cluster cannot spread it.',
      numbers: { slots: found.length, slot: most.slot, slotBytes: most.memoryBytes, mean },
      examples: [],
    },
  ];
};

const RULES: readonly Rule[] = [
  ...[largeKeys, missingExpiry, pending, manyElements, hugeElements, barely, integerSets],
  ...[smallStrings, idle, expired, almostIntegers, longNames, expiryWave, slotSkew],
];

/** All findings, the most severe first. */
export function findingsOf(context: Context): Finding[] {
  const order = ['warning', 'notice', 'info'];
  return RULES.flatMap((rule) => rule(context)).sort(
    (a, b) => order.indexOf(a.severity) - order.indexOf(b.severity),
  );
}
