// What FUNCTION DUMP makes: each library behind an opcode, as a string of an RDB file.

import { ScriptProblem } from './shebang.js';
import { bytesToText } from './vm/bytes.js';

const OPCODE_FUNCTION = 245;
const FOOTER_BYTES = 10;
const LZF = 3;

class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const value = this.#bytes[this.at++];
    if (value === undefined) throw damaged();
    return value;
  }

  #big(size: number): number {
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.byte();
    return value;
  }

  /** A length, or below 0: ~encoding of a special string. */
  length(): number {
    const first = this.byte();
    switch (first >> 6) {
      case 0:
        return first & 63;
      case 1:
        return ((first & 63) << 8) | this.byte();
      case 2:
        return this.#big(first === 0x80 ? 4 : 8);
      default:
        return ~(first & 63);
    }
  }

  text(): string {
    const length = this.length();
    if (length >= 0) return this.#take(length);
    if (~length !== LZF) throw damaged();
    const packed = this.length();
    const size = this.length();
    const from = this.at;
    this.#take(packed);
    return unpack(this.#bytes.subarray(from, from + packed), size);
  }

  #take(length: number): string {
    const from = this.at;
    if (length < 0 || length > this.#bytes.length - from) throw damaged();
    this.at += length;
    return bytesToText(this.#bytes, from, this.at);
  }
}

function damaged(): ScriptProblem {
  return new ScriptProblem('failed loading functions, the payload is damaged');
}

/** LZF, as in RDB files. */
function unpack(packed: Uint8Array, size: number): string {
  if (size > packed.length * 264) throw damaged();
  const out = new Uint8Array(size);
  let to = 0;
  for (let at = 0; at < packed.length; ) {
    const control = packed[at++] as number;
    if (control < 32) {
      out.set(packed.subarray(at, at + control + 1), to);
      at += control + 1;
      to += control + 1;
      continue;
    }
    let length = control >> 5;
    if (length === 7) length += packed[at++] ?? 0;
    let from = to - ((control & 31) << 8) - (packed[at++] ?? 0) - 1;
    if (from < 0 || to + length + 2 > size) throw damaged();
    for (let i = 0; i < length + 2; i++) out[to++] = out[from++] as number;
  }
  if (to !== size) throw damaged();
  return bytesToText(out);
}

/** The sources in a payload whose footer is right; throws a ScriptProblem. */
export function readPayload(payload: Uint8Array): string[] {
  const reader = new Reader(payload.subarray(0, payload.length - FOOTER_BYTES));
  const out: string[] = [];
  while (reader.at < payload.length - FOOTER_BYTES) {
    if (reader.byte() !== OPCODE_FUNCTION) throw new ScriptProblem('given type is not a function');
    out.push(reader.text());
  }
  return out;
}
