// The few bytes the replica writes and the lines it reads before the command stream: requests as
// RESP arrays, replies as lines. The stream itself is the core's.

import { RespiteError } from '../errors.js';

const encoder = new TextEncoder();
/** Longest reply line; what is longer is not a Redis server's. */
const LINE_MAX = 16 * 1024;

/** One request as RESP. */
export function encodeRequest(words: readonly string[]): Uint8Array {
  return encoder.encode(requestText(words));
}

/** Several requests in one write. */
export function encodeRequests(requests: readonly (readonly string[])[]): Uint8Array {
  return encoder.encode(requests.map(requestText).join(''));
}

function requestText(words: readonly string[]): string {
  const parts = words.map((word) => `$${byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}

function byteLength(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: plain ASCII needs no encoder
  return /^[\u0000-\u007f]*$/.test(text) ? text.length : encoder.encode(text).length;
}

/** Gathers lines that may arrive in any pieces. */
export class LineReader {
  #pending = '';
  /** The last whole line, without its end; valid after `take` gave `true`. */
  line = '';
  /** Bytes the last `take` used. */
  used = 0;

  /** Takes bytes up to and with the next \n; true when that completed a line. */
  take(bytes: Uint8Array): boolean {
    const at = bytes.indexOf(10);
    const end = at < 0 ? bytes.length : at;
    if (this.#pending.length + end > LINE_MAX) {
      throw new RespiteError('ERR_RESPITE_PROTOCOL', 'the master sent an endless line', {
        details: { data: this.#pending.slice(0, 128) },
      });
    }
    let text = this.#pending;
    for (let i = 0; i < end; i++) text += String.fromCharCode(bytes[i] as number);
    if (at < 0) {
      this.#pending = text;
      this.used = bytes.length;
      return false;
    }
    this.#pending = '';
    this.line = text.endsWith('\r') ? text.slice(0, -1) : text;
    this.used = at + 1;
    return true;
  }
}
