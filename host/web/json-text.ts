// JSON with a line for each value. Only blanks are changed: numbers, repeated fields and escapes
// stay as they were written.

/** What is indented further would be mostly blanks. */
const DEPTH_MAX = 100;
const GROWTH_MAX = 16;
const NUMBER_OR_WORD = /[^\s{}[\],:"]+/y;

const strict = new TextDecoder('utf-8', { fatal: true });

function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function tokenEnd(text: string, at: number): number {
  if (text[at] === '"') return stringEnd(text, at);
  NUMBER_OR_WORD.lastIndex = at;
  return NUMBER_OR_WORD.test(text) ? NUMBER_OR_WORD.lastIndex : at + 1;
}

/** Valid JSON, indented; undefined: it is too deep to be read that way. */
function indented(text: string): string | undefined {
  const parts: string[] = [];
  let [depth, length, end] = [0, 0, 0];
  // last token that was no blank
  let last = '';
  for (let at = 0; at < text.length; at = end) {
    end = tokenEnd(text, at);
    const token = text.slice(at, end);
    if (token.trim() === '') continue;
    const isClosing = token === '}' || token === ']';
    if (isClosing) depth--;
    const isInside = last === '{' || last === '[';
    if (last === ',' || isInside !== isClosing) {
      parts.push('\n', '  '.repeat(depth));
      length += 1 + 2 * depth;
    }
    parts.push(token === ':' ? ': ' : token);
    length += token.length;
    if (token === '{' || token === '[') depth++;
    if (depth > DEPTH_MAX || length > GROWTH_MAX * text.length + 4096) return undefined;
    last = token;
  }
  return parts.join('');
}

/** An object or an array as indented JSON; undefined: the bytes are neither. */
export function jsonText(data: Uint8Array): string | undefined {
  const first = data[0];
  if (first !== 0x7b && first !== 0x5b) return undefined;
  try {
    const text = strict.decode(data);
    JSON.parse(text);
    return indented(text);
  } catch {
    return undefined;
  }
}
