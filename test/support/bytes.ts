// Bytes in and out of test files: the quoting rules of redis-cli, the request encoding, and a
// printable form of raw bytes. Not a RESP reader (resp.ts) and not a socket (connection.ts).
// Every string here is latin1: one character is one byte, so nothing is lost on the way.

export type Arg = string | Buffer | number | bigint;

/** A latin1 string, number or Buffer as the bytes it stands for. */
export function toBytes(arg: Arg): Buffer {
  return Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg), 'latin1');
}

/** One request in multibulk form. */
export function encodeCommand(args: readonly Arg[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = toBytes(arg);
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, CRLF);
  }
  return Buffer.concat(parts);
}

const CRLF = Buffer.from('\r\n');
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/**
 * Splits a line as redis-cli does: words, "double quotes" with \n \r \t \b \a \xHH escapes,
 * 'single quotes' with \' only; a closing quote must be followed by a blank or the end.
 * Throws on unbalanced quotes.
 */
export function splitArgs(line: string): string[] {
  const out: string[] = [];
  let at = 0;
  while (at < line.length) {
    if (/\s/.test(line[at]!)) {
      at++;
      continue;
    }
    const word = readWord(line, at);
    out.push(word.text);
    at = word.end;
  }
  return out;
}

function readWord(line: string, start: number): { text: string; end: number } {
  let text = '';
  let at = start;
  while (at < line.length && !/\s/.test(line[at]!)) {
    const ch = line[at]!;
    if (ch === '"' || ch === "'") {
      const quoted = readQuoted(line, at);
      text += quoted.text;
      at = quoted.end;
      if (at < line.length && !/\s/.test(line[at]!)) throw unbalanced(line);
      break;
    }
    text += ch;
    at++;
  }
  return { text, end: at };
}

function readQuoted(line: string, start: number): { text: string; end: number } {
  const quote = line[start]!;
  let text = '';
  let at = start + 1;
  while (at < line.length && line[at] !== quote) {
    if (line[at] !== '\\') {
      text += line[at++];
      continue;
    }
    const next = line[at + 1] ?? '';
    const hex = /^x([0-9a-fA-F]{2})/.exec(line.slice(at + 1, at + 4));
    if (quote === "'") {
      text += next === "'" ? "'" : '\\';
      at += next === "'" ? 2 : 1;
    } else if (hex) {
      text += String.fromCharCode(Number.parseInt(hex[1]!, 16));
      at += 4;
    } else {
      text += ESCAPES[next] ?? next;
      at += 2;
    }
  }
  if (at >= line.length) throw unbalanced(line);
  return { text, end: at + 1 };
}

function unbalanced(line: string): Error {
  return new Error(`unbalanced quotes in: ${line}`);
}

/** Bytes as one printable line, cut in the middle when longer than `max`. */
export function show(bytes: Buffer | undefined, max = 400): string {
  if (bytes === undefined) return '(nothing)';
  const cut = bytes.length > max;
  const head = cut ? bytes.subarray(0, max / 2) : bytes;
  const tail = cut ? ` …(${bytes.length} bytes)… ${escapeBytes(bytes.subarray(-max / 2))}` : '';
  return escapeBytes(head) + tail;
}

function escapeBytes(bytes: Buffer): string {
  let out = '';
  for (const byte of bytes) {
    if (byte === 13) out += '\\r';
    else if (byte === 10) out += '\\n';
    else if (byte === 92) out += '\\\\';
    else if (byte < 32 || byte > 126) out += `\\x${byte.toString(16).padStart(2, '0')}`;
    else out += String.fromCharCode(byte);
  }
  return out;
}
