// A dump of names that are text, and of some that are none; and what expressions find in it.

type Name = string | Uint8Array;

const BYTES = Buffer.of(0xff, 0x6b);
/** A character cut off in its middle. */
const CUT = Buffer.of(0xc3, 0xa9, 0xc3);

const NAMES: readonly Name[] = [
  ...['éé', 'ÉÉ', 'é', 'ab', 'k:☂', '😀', 'Ã©', '\ufffd', '\ufeffx', '', 'two\nlines'],
  ...[BYTES, CUT],
];

const ALL_BUT = (...names: Name[]) => NAMES.filter((name) => !names.includes(name));

/** Expressions and their flags, and the names they find. */
export const EXPRESSIONS: readonly [source: string, flags: string, names: readonly Name[]][] = [
  ['^é+$', '', ['éé', 'é']],
  ['^é{2}$', '', ['éé']],
  ['^[é]{2}$', '', ['éé']],
  ['^é{2}$', 'i', ['éé', 'ÉÉ']],
  ['^..$', '', ['éé', 'ÉÉ', 'ab', 'Ã©', '\ufeffx', BYTES]],
  ['^.$', '', ['é', '😀', '\ufffd']],
  ['\\u00e9', '', ['éé', 'é']],
  ['^\\p{Lu}+$', 'u', ['ÉÉ']],
  ['^\\p{Ll}+$', '', ['éé', 'é', 'ab', BYTES]],
  ['\\u{1f600}', '', ['😀']],
  ['[☂☃]', '', ['k:☂']],
  ['Ã©', '', ['Ã©', CUT]],
  ['\\xff', '', [BYTES]],
  ['\\ufffd', '', ['\ufffd']],
  ['^\\ufeff', '', ['\ufeffx']],
  ['^$', '', ['']],
  ['^lines$', 'm', ['two\nlines']],
  ['o.l', 's', ['two\nlines']],
  // no expression with the flag `u`
  ['\\k|\\é\\é', '', ['éé', 'k:☂', BYTES]],
  ['^[\\p{L}--[a-z]]+$', 'v', ['éé', 'ÉÉ', 'é']],
  ['[^]', '', ALL_BUT('')],
];

const string = (bytes: Name) => {
  const content = Buffer.from(bytes as Uint8Array);
  return Buffer.concat([Buffer.of(content.length), content]);
};

export function namesDump(): Buffer {
  const keys = NAMES.flatMap((name) => [Buffer.of(0), string(name), string('v')]);
  const end = Buffer.of(0xff, 0, 0, 0, 0, 0, 0, 0, 0);
  return Buffer.concat([Buffer.from('REDIS0011'), Buffer.of(0xfe, 0), ...keys, end]);
}
