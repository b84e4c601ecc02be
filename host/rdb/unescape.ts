// The way back: the text that exports write, as the bytes that stood in the file.

/** How a string was written: see `JsonEscape`, `CsvOptions`, `KeysOptions`. */
export type TextEscape = 'utf8' | 'latin1' | 'base64' | 'repr';

const REPR_LETTERS: Readonly<Record<string, number>> = {
  ...{ n: 10, r: 13, t: 9, a: 7, b: 8 },
  ...{ '\\': 0x5c, '"': 0x22 },
};

/**
 * The bytes of a string of an export (of JSON: after JSON.parse; of CSV: the cell; `repr`: with or
 * without its quotes).
 */
export function unescapeText(text: string, how: TextEscape = 'utf8'): Uint8Array {
  switch (how) {
    case 'utf8':
      return joined(text, /\\x([0-9A-F]{2})/g, ([, hex]) => Number.parseInt(hex!, 16));
    case 'repr': {
      const inner = /^".*"$/s.test(text) ? text.slice(1, -1) : text;
      return joined(inner, /\\(?:x([0-9a-f]{2})|(.))/g, ([, hex, letter]) =>
        hex === undefined ? REPR_LETTERS[letter!]! : Number.parseInt(hex, 16),
      );
    }
    case 'latin1':
      return Uint8Array.from(text, (c) => c.charCodeAt(0));
    case 'base64':
      return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  }
}

/** The text in UTF-8, each match being one byte instead. */
function joined(
  text: string,
  pattern: RegExp,
  byteOf: (match: RegExpExecArray) => number,
): Uint8Array {
  const encoder = new TextEncoder();
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  let from = 0;
  const put = (to: number): void => {
    if (to > from)
      length += encoder.encodeInto(text.slice(from, to), bytes.subarray(length)).written;
  };
  for (const match of text.matchAll(pattern)) {
    put(match.index);
    bytes[length++] = byteOf(match as RegExpExecArray);
    from = match.index + match[0].length;
  }
  put(text.length);
  return bytes.slice(0, length);
}
