// Where a reply ends, in bytes that arrive in any pieces, RESP2 or RESP3. What is in it is of no
// interest: it is handed on as it came.

import { RespiteError } from '../errors.js';

const CR = 13;
const LF = 10;
/** Of the line that begins a value; longer ones are errors or statuses, which are not read. */
const HEAD_MAX = 32;

export class ReplyFrame {
  /** Values still to come before the reply is whole. */
  #values = 1;
  /** Bytes of a bulk still to come, with its line end. */
  #skip = 0;
  /** The line being read: its first byte and what follows, as far as it matters. */
  #head = '';
  #isAfterCr = false;

  /** Takes bytes from `from` on: the place behind the reply, or -1 when it goes on. */
  take(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, bytes.length - at);
        this.#skip -= step;
        at += step;
      } else if (this.#lineEnds(bytes[at++] as number)) {
        this.#line();
      }
      if (this.#values === 0 && this.#skip === 0) {
        this.#values = 1;
        return at;
      }
    }
    return -1;
  }

  #lineEnds(byte: number): boolean {
    const ends = this.#isAfterCr && byte === LF;
    this.#isAfterCr = byte === CR;
    if (!ends && byte !== CR && this.#head.length < HEAD_MAX) {
      this.#head += String.fromCharCode(byte);
    }
    return ends;
  }

  #line(): void {
    const head = this.#head;
    this.#head = '';
    this.#isAfterCr = false;
    this.#values--;
    switch (head[0]) {
      case '+':
      case '-':
      case ':':
      case '_':
      case '#':
      case ',':
      case '(':
        return;
      case '$':
      case '=':
      case '!': {
        const length = this.#count(head);
        if (length >= 0) this.#skip = length + 2;
        return;
      }
      case '*':
      case '~':
      case '>':
        this.#values += Math.max(0, this.#count(head));
        return;
      case '%':
        this.#values += 2 * this.#count(head);
        return;
      case '|':
        // attributes, and the value they are about
        this.#values += 2 * this.#count(head) + 1;
        return;
      default:
        throw notReply(head);
    }
  }

  #count(head: string): number {
    const count = /^.-?\d{1,15}$/.test(head) ? Number(head.slice(1)) : Number.NaN;
    if (Number.isNaN(count)) throw notReply(head);
    return count;
  }
}

function notReply(head: string): RespiteError {
  return new RespiteError('ERR_RESPITE_PROTOCOL', 'the master sent what is no reply', {
    details: { data: head },
  });
}
