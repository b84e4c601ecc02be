// Replies as JavaScript values: RESP2 and RESP3 bytes in, what they mean out. For in-process calls;
// connections never come here.

import { RespiteError } from '../errors.js';

/** Bulk strings are bytes, big integers beyond 2^53 are bigint, errors inside arrays are errors. */
export type ReplyValue =
  | null
  | string
  | number
  | bigint
  | boolean
  | Uint8Array
  | RespiteError
  | ReplyValue[]
  | Map<ReplyValue, ReplyValue>;

const CR = 13;
const decoder = new TextDecoder();

/** The error a reply line (without its `-`) stands for. */
export function replyError(reply: string): RespiteError {
  if (reply.startsWith('LOADING')) {
    return new RespiteError('ERR_RESPITE_SYNC_IN_PROGRESS', reply);
  }
  if (reply.startsWith('READONLY')) return new RespiteError('ERR_RESPITE_READ_ONLY', reply);
  if (reply.startsWith('MASTERDOWN')) {
    return new RespiteError('ERR_RESPITE_NOT_CONNECTED', reply);
  }
  return new RespiteError('ERR_RESPITE_REPLY', reply, { details: { reply } });
}

function integer(text: string): number | bigint {
  const n = Number(text);
  return Number.isSafeInteger(n) ? n : BigInt(text);
}

function double(text: string): number {
  if (text === 'inf') return Number.POSITIVE_INFINITY;
  return text === '-inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

/** Reads whole replies from bytes that hold nothing else. */
export class ReplyReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  next(): ReplyValue {
    const kind = String.fromCharCode(this.#bytes[this.#at++] as number);
    const line = this.#line();
    switch (kind) {
      case '+':
        return line;
      case '-':
        return replyError(line);
      case ':':
        return integer(line);
      case '$':
        return this.#blob(line);
      case '=':
        return (this.#blob(line) as Uint8Array).slice(4);
      case '!':
        return replyError(decoder.decode(this.#blob(line) as Uint8Array));
      case '_':
        return null;
      case '#':
        return line === 't';
      case ',':
        return double(line);
      case '(':
        return BigInt(line);
      case '%':
        return this.#map(Number(line));
      case '*':
      case '~':
      case '>':
        return this.#array(Number(line));
      default:
        throw new RespiteError('ERR_RESPITE_PROTOCOL', `reply of unknown kind ${kind}`);
    }
  }

  /** Lines are short and mostly ASCII: no decoder for those. */
  #line(): string {
    const bytes = this.#bytes;
    const from = this.#at;
    let text = '';
    let at = from;
    for (let c = bytes[at] as number; c !== CR; c = bytes[++at] as number) {
      if (c > 127 || c === undefined) return this.#decodedLine(from);
      text += String.fromCharCode(c);
    }
    this.#at = at + 2;
    return text;
  }

  #decodedLine(from: number): string {
    const end = this.#bytes.indexOf(CR, from);
    this.#at = end + 2;
    return decoder.decode(this.#bytes.slice(from, end));
  }

  #blob(line: string): Uint8Array | null {
    const len = Number(line);
    if (len < 0) return null;
    const out = this.#bytes.slice(this.#at, this.#at + len);
    this.#at += len + 2;
    return out;
  }

  #array(count: number): ReplyValue[] | null {
    if (count < 0) return null;
    const out: ReplyValue[] = [];
    for (let i = 0; i < count; i++) out.push(this.next());
    return out;
  }

  #map(count: number): Map<ReplyValue, ReplyValue> {
    const out = new Map<ReplyValue, ReplyValue>();
    for (let i = 0; i < count; i++) {
      const key = this.next();
      out.set(key instanceof Uint8Array ? decoder.decode(key) : key, this.next());
    }
    return out;
  }
}
