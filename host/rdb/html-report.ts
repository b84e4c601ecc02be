// An analysis as one HTML file that needs nothing else: no script, no network, light and dark.

import type {
  Bucket,
  BytesText,
  Finding,
  Histogram,
  KeyRow,
  PrefixNode,
  PrefixRow,
  RdbAnalysis,
} from './analysis-types.js';
import { checkOptions, text } from './check-options.js';
import { count, sizeText } from './findings.js';
import { REPORT_CSS } from './html-style.js';

export interface HtmlOptions {
  /** Shown on top: the file's name. */
  title?: string | undefined;
}

const ENTITIES: Record<string, string> = {
  ...{ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' },
};
const safe = (text: string) => text.replace(/[&<>"']/g, (c) => ENTITIES[c]!);
const size = (n: number) => sizeText(Math.round(n));
const percent = (part: number, whole: number) =>
  whole === 0 ? '–' : `${((100 * part) / whole).toFixed(part * 10 < whole ? 1 : 0)}%`;
const name = ({ text }: BytesText) => (text === '' ? '<i>(empty)</i>' : safe(text));

/** An element; `attributes` as they are written. */
function tag(kind: string, attributes: string, ...body: string[]): string {
  return `<${kind}${attributes === '' ? '' : ` ${attributes}`}>${body.join('')}</${kind}>`;
}

// ---- tables

interface Column<T> {
  head: string;
  cell: (row: T) => string;
  /** Left-aligned text; numbers stand on the right. */
  isText?: boolean;
}

function table<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  if (rows.length === 0) return '<p class="none">None.</p>';
  const side = ({ isText }: Column<T>) => (isText ? ' class="text"' : '');
  const head = columns.map((column) => `<th${side(column)}>${column.head}</th>`).join('');
  const body = rows.map((row) => {
    const cells = columns.map((column) => `<td${side(column)}>${column.cell(row)}</td>`);
    return `<tr>${cells.join('')}</tr>`;
  });
  const all = tag('thead', '', tag('tr', '', head)) + tag('tbody', '', body.join('\n'));
  return tag('div', 'class="wide"', tag('table', '', all));
}

/** A number with a bar that shows its share. */
function share(part: number, whole: number): string {
  const width = whole === 0 ? 0 : (100 * part) / whole;
  const inner = tag('i', `style="width:${width.toFixed(1)}%"`);
  return tag('span', 'class="bar"', inner) + percent(part, whole);
}

const section = (id: string, title: string, body: string) =>
  `<section id="${id}"><h2>${title}</h2>${body}</section>`;

// ---- charts

const LETTERS = ['', 'k', 'M', 'G', 'T', 'P'];
/** Powers of two, short: 512, 1k, 4M. */
function short(value: number): string {
  let unit = 0;
  let rest = value;
  while (rest >= 1024 && unit < LETTERS.length - 1) {
    rest /= 1024;
    unit++;
  }
  return `${rest < 10 && rest % 1 !== 0 ? rest.toFixed(1) : Math.round(rest)}${LETTERS[unit]}`;
}

const SPANS: readonly (readonly [seconds: number, letter: string])[] = [
  [31_536_000, 'y'],
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
  [1, 's'],
];
function span(seconds: number): string {
  const [unit, letter] = SPANS.find(([least]) => seconds >= least) ?? [1, 's'];
  return `${Number((seconds / unit).toFixed(1))}${letter}`;
}

/** Columns of buckets; the number of keys is the height. */
function columns(buckets: readonly Bucket[], label: (from: number) => string): string {
  if (buckets.length === 0) return '<p class="none">None.</p>';
  const [width, height, base] = [Math.max(buckets.length * 26, 120), 120, 100];
  const most = Math.max(...buckets.map(({ keys }) => keys), 1);
  const step = Math.ceil(buckets.length / 16);
  const bars = buckets.map(({ from, to, keys, memoryBytes }, i) => {
    const tall = keys === 0 ? 0 : Math.max((keys / most) * (base - 4), 1);
    const end = to === null ? '…' : label(to);
    const title = `${label(from)} – ${end}: ${count(keys)} keys, ${size(memoryBytes)}`;
    const text =
      i % step === 0 ? `<text x="${i * 26 + 12}" y="${height - 6}">${label(from)}</text>` : '';
    const y = (base - tall).toFixed(1);
    const tallText = tall.toFixed(1);
    const place = `x="${i * 26 + 1}" y="${y}" width="22" height="${tallText}"`;
    return tag('g', '', tag('title', '', safe(title)), tag('rect', place), text);
  });
  const view = `viewBox="0 0 ${width} ${height}" style="max-width:${width * 1.4}px"`;
  return tag('svg', `class="columns" ${view} role="img"`, ...bars);
}

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}
const MAP: Box = { x: 0, y: 0, width: 1000, height: 420 };
const LABEL_HEIGHT = 16;

/** Rectangles in proportion, in rows across the shorter side (a squarified treemap). */
function squarify(weights: readonly number[], box: Box): Box[] {
  const boxes: Box[] = [];
  let { x, y, width, height } = box;
  let left = weights.reduce((a, b) => a + b, 0);
  for (let at = 0; at < weights.length && left > 0; ) {
    const isWide = width >= height;
    const side = isWide ? height : width;
    const scale = (width * height) / left;
    const worst = (row: readonly number[]) => {
      const sum = row.reduce((a, b) => a + b, 0) * scale;
      return Math.max(
        ...row.map((w) =>
          Math.max((side * side * w * scale) / sum ** 2, sum ** 2 / (side * side * w * scale)),
        ),
      );
    };
    let row = [weights[at]!];
    while (at + row.length < weights.length) {
      const longer = [...row, weights[at + row.length]!];
      if (worst(longer) > worst(row)) break;
      row = longer;
    }
    const sum = row.reduce((a, b) => a + b, 0);
    const thick = (sum * scale) / Math.max(side, 1e-9);
    let along = isWide ? y : x;
    for (const weight of row) {
      const long = (weight * scale) / Math.max(thick, 1e-9);
      boxes.push(
        isWide
          ? { x, y: along, width: thick, height: long }
          : { x: along, y, width: long, height: thick },
      );
      along += long;
    }
    if (isWide) [x, width] = [x + thick, width - thick];
    else [y, height] = [y + thick, height - thick];
    left -= sum;
    at += row.length;
  }
  return boxes;
}

/** Rectangles below these are not drawn. */
const AREA_MIN = 60;
const LEVELS_MAX = 3;

function treemap(node: PrefixNode, box: Box, level: number, hue: number): string {
  const children = node.children.filter(({ memoryBytes }) => memoryBytes > 0);
  const rest = Math.max(node.rest.memoryBytes, 0);
  const weights = [...children.map(({ memoryBytes }) => memoryBytes), ...(rest > 0 ? [rest] : [])];
  return squarify(weights, box)
    .map((inner, i) => {
      if (inner.width * inner.height < AREA_MIN) return '';
      const child = children[i];
      const color = level === 0 ? (i * 137.5) % 360 : hue;
      const label = child === undefined ? '…' : child.prefix.text;
      const keys = child === undefined ? node.rest.keys : child.keys;
      const bytes = child === undefined ? rest : child.memoryBytes;
      return tile(
        inner,
        { level, color, label, title: `${label}: ${count(keys)} keys, ${size(bytes)}` },
        child,
      );
    })
    .join('');
}

interface Tile {
  level: number;
  color: number;
  label: string;
  title: string;
}

function tile(
  box: Box,
  { level, color, label, title }: Tile,
  node: PrefixNode | undefined,
): string {
  const n = (value: number) => value.toFixed(1);
  const { x, y, width, height } = box;
  const isNamed = width > 40 && height > LABEL_HEIGHT;
  const letters = Math.trunc(width / 7);
  const text = isNamed
    ? `<text x="${n(x + 4)}" y="${n(y + 12)}">${safe([...label].slice(0, letters).join(''))}</text>`
    : '';
  const where = `x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"`;
  const look = `class="l${level}" ${where} style="--h:${Math.round(color)}"`;
  const shape = tag('g', '', tag('title', '', safe(title)), tag('rect', look), text);
  const hasRoom = width > 30 && height > LABEL_HEIGHT * 2;
  if (node === undefined || node.children.length === 0 || level + 1 >= LEVELS_MAX || !hasRoom) {
    return shape;
  }
  const inner = {
    ...{ x: x + 2, y: y + LABEL_HEIGHT },
    ...{ width: width - 4, height: height - LABEL_HEIGHT - 2 },
  };
  return shape + treemap(node, inner, level + 1, color);
}

/** As the file says, where that is no time. */
function timeMade(ctime: string | undefined): string {
  const date = new Date(Number(ctime) * 1000);
  return Number.isNaN(date.getTime()) ? (ctime ?? 'not told') : date.toISOString();
}

// ---- sections

function facts({ file, total, bytesRead, slots, damage, damaged, bounds }: RdbAnalysis): string {
  const { aux } = file;
  const server = aux['valkey-ver'] ?? aux['redis-ver'];
  const rows: [string, string][] = [
    ['Format', `${file.isValkey ? 'Valkey ' : ''}RDB ${file.version}`],
    ['Server', server ?? 'not told'],
    ['Written', timeMade(aux.ctime)],
    ['Checksum', file.checksum ?? 'not reached'],
    ['Bytes read', count(bytesRead)],
    ['Names of keys', size(total.keyNameBytes)],
    ['Functions', count(file.functions.length)],
    ...(slots === null ? [] : ([['Slots in use', count(slots.used)]] as [string, string][])),
    ...(damaged > 0 ? ([['Damaged values left out', count(damaged)]] as [string, string][]) : []),
  ];
  const list = rows.map(([term, what]) => `<dt>${term}</dt><dd>${safe(what)}</dd>`).join('');
  const warning =
    damage === null
      ? ''
      : `<p class="damage">${safe(damage.message)}. All figures are of what came before.</p>`;
  const notes = bounds.map(
    ({ table: of, limit, note }) => `<li>${of} (${count(limit)}): ${safe(note)}</li>`,
  );
  const limits =
    notes.length === 0 ? '' : `<h3>Bounds that were hit</h3><ul>${notes.join('')}</ul>`;
  return `${warning}<dl>${list}</dl>${limits}`;
}

function cards({ total, expiry }: RdbAnalysis): string {
  const all: [string, string][] = [
    [count(total.keys), 'keys'],
    [size(total.memoryBytes), 'estimated memory'],
    [size(total.fileBytes), 'in the file'],
    [count(total.elements), 'elements'],
    [percent(total.expires, total.keys), 'of the keys expire'],
    [count(expiry.expired.keys), 'had expired'],
  ];
  const one = ([figure, what]: [string, string]) =>
    `<div class="card"><b>${figure}</b><span>${what}</span></div>`;
  return `<div class="cards">${all.map(one).join('')}</div>`;
}

function finding({ severity, title, advice, savingBytes, numbers, examples }: Finding): string {
  const saving = savingBytes === null ? '' : `<span class="saving">${size(savingBytes)}</span>`;
  const shown = Object.entries(numbers).map(([key, value]) => `${key} ${Number(value.toFixed(3))}`);
  const items = examples.map((one) => {
    const figures = Object.entries(one.numbers).map(([key, value]) => `${key} ${count(value)}`);
    const db = one.db === null ? '' : ` <small>db ${one.db}</small>`;
    return `<li><code>${name(one.name)}</code>${db} <small>${figures.join(', ')}</small></li>`;
  });
  const list = items.length === 0 ? '' : `<ul>${items.join('')}</ul>`;
  return tag(
    'article',
    `class="${severity}"`,
    tag('h3', '', `${safe(title)} ${saving}`),
    tag('p', '', safe(advice)),
    list,
    tag('p', 'class="numbers"', safe(shown.join(' · '))),
  );
}

const HISTOGRAM_TITLES: Record<Histogram['of'], string> = {
  memory: 'Memory of a key',
  file: 'Bytes in the file',
  'key-name': 'Length of names',
  string: 'Length of strings',
  list: 'Elements of lists',
  set: 'Members of sets',
  zset: 'Members of sorted sets',
  hash: 'Fields of hashes',
  stream: 'Entries of streams',
  'largest-element': 'Longest element of a collection',
};

function histograms({ histograms: all }: RdbAnalysis): string {
  return `<div class="charts">${all
    .map(({ of, buckets }) =>
      tag('figure', '', columns(buckets, short), tag('figcaption', '', HISTOGRAM_TITLES[of])),
    )
    .join('')}</div>`;
}

const KEY_COLUMNS: readonly Column<KeyRow>[] = [
  {
    head: 'Key',
    isText: true,
    cell: ({ key, keyBytes }) => `<code>${name(key)}</code>${keyBytes > 512 ? '…' : ''}`,
  },
  { head: 'db', cell: ({ db }) => String(db) },
  {
    head: 'Type',
    isText: true,
    cell: ({ type, encoding }) => `${type} <small>${encoding}</small>`,
  },
  { head: 'Memory', cell: ({ memoryBytes }) => size(memoryBytes) },
  { head: 'In file', cell: ({ fileBytes }) => size(fileBytes) },
  { head: 'Elements', cell: ({ count: n }) => count(n) },
  { head: 'Longest', cell: ({ largest }) => size(largest) },
  { head: 'Expires', cell: ({ expireAtMs }) => expiryText(expireAtMs) },
];

function expiryText(ms: number | null): string {
  if (ms === null) return '–';
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString().slice(0, 19);
}

const prefixColumns = (whole: number): readonly Column<PrefixRow>[] => [
  { head: 'Prefix', isText: true, cell: ({ prefix }) => `<code>${name(prefix)}</code>` },
  {
    head: 'Keys',
    cell: ({ keys, missingMax }) =>
      `${count(keys)}${missingMax > 0 ? `<small> +${count(missingMax)}</small>` : ''}`,
  },
  { head: 'Memory', cell: ({ memoryBytes }) => size(memoryBytes) },
  { head: 'Share', cell: ({ memoryBytes }) => share(memoryBytes, whole) },
  { head: 'Expire', cell: ({ expires, keys }) => percent(expires, keys) },
  { head: 'Types', isText: true, cell: ({ types }) => Object.keys(types).join(', ') },
];

const PREFIX_ROWS = 100;

function prefixes({ prefixes: found, total }: RdbAnalysis): string {
  if (found === null) return '';
  const view = `class="map" viewBox="0 0 ${MAP.width} ${MAP.height}" role="img"`;
  const map = tag('svg', view, treemap(found.tree, MAP, 0, 0));
  const head = prefixColumns(total.memoryBytes);
  return section(
    'prefixes',
    'Prefixes',
    [
      map,
      tag('h3', '', `By separator (${tag('code', '', safe(found.separators))})`),
      table(head, found.rows.slice(0, PREFIX_ROWS)),
      tag('h3', '', 'Found without separators'),
      table(head, found.automatic.slice(0, PREFIX_ROWS)),
    ].join(''),
  );
}

function sums(analysis: RdbAnalysis): string {
  const whole = analysis.total.memoryBytes;
  const figures = [
    { head: 'Keys', cell: (row: { keys: number }) => count(row.keys) },
    { head: 'Memory', cell: (row: { memoryBytes: number }) => size(row.memoryBytes) },
    { head: 'Share', cell: (row: { memoryBytes: number }) => share(row.memoryBytes, whole) },
    { head: 'In file', cell: (row: { fileBytes: number }) => size(row.fileBytes) },
    { head: 'Elements', cell: (row: { elements: number }) => count(row.elements) },
  ];
  const expires = {
    head: 'Expire',
    cell: (row: { expires: number; keys: number }) => percent(row.expires, row.keys),
  };
  return [
    table(
      [{ head: 'Type', isText: true, cell: ({ type }) => type }, ...figures, expires],
      analysis.types,
    ),
    table(
      [
        { head: 'Encoding', isText: true, cell: ({ type, encoding }) => `${type} · ${encoding}` },
        ...figures,
      ],
      analysis.encodings,
    ),
    table(
      [{ head: 'Database', cell: ({ db }) => String(db) }, ...figures, expires],
      analysis.databases,
    ),
  ].join('');
}

function times(analysis: RdbAnalysis): string {
  const { expiry, idle, frequency } = analysis;
  const left = [{ ...expiry.expired, from: -1, to: 0 }, ...expiry.buckets];
  const label = (from: number) => (from < 0 ? 'past' : from === 0 ? 'now' : span(from));
  const figure = (svg: string, text: string) =>
    `<figure>${svg}<figcaption>${text}</figcaption></figure>`;
  return `<div class="charts">${[
    figure(columns(left, label), `Time left (${count(expiry.none.keys)} keys do not expire)`),
    ...(idle === null ? [] : [figure(columns(idle, span), 'Time since the last use')]),
    ...(frequency === null ? [] : [figure(columns(frequency, String), 'Use counter')]),
  ].join('')}</div>`;
}

const FOOTER = 'Made by respite. Memory is estimated for a Redis 7 that has loaded the file.';

/** The whole report. */
export function htmlReport(analysis: RdbAnalysis, options: HtmlOptions = {}): string {
  checkOptions(options, { title: text });
  const { title = 'RDB' } = options;
  const found = analysis.findings.map(finding).join('') || '<p class="none">None.</p>';
  const slots = analysis.slots?.rows ?? [];
  const body = [
    cards(analysis),
    section('facts', 'File', facts(analysis)),
    section('findings', 'Findings', found),
    section('sums', 'Keys and memory', sums(analysis)),
    prefixes(analysis),
    section('times', 'Expiry and use', times(analysis)),
    section('sizes', 'Sizes', histograms(analysis)),
    section('top', 'Largest keys', table(KEY_COLUMNS, analysis.topBySize)),
    section('longest', 'Collections with most elements', table(KEY_COLUMNS, analysis.topByLength)),
    slots.length < 2
      ? ''
      : section(
          'slots',
          'Slots with most memory',
          table(
            [
              { head: 'Slot', cell: ({ slot }) => String(slot) },
              { head: 'Keys', cell: ({ keys }) => count(keys) },
              { head: 'Memory', cell: ({ memoryBytes }) => size(memoryBytes) },
            ],
            slots,
          ),
        ),
  ];
  const policy = "default-src 'none'; style-src 'unsafe-inline'";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${safe(title)} – respite</title>
<style>${REPORT_CSS}</style></head>
<body><header><h1>${safe(title)}</h1></header><main>
${body.join('\n')}
</main><footer>${FOOTER}</footer></body></html>
`;
}
