// Encodes replies of host commands as RESP2 or RESP3 bytes in one growing buffer. Containers are
// announced by their length and then filled by further calls; nothing checks that the number of
// calls matches. Core commands do not come here: they write in linear memory (assembly/resp).

const INITIAL_BYTES = 1024;
const LINE_BREAK = /[\r\n]/g;
/** biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what is asked for */
const ASCII = /^[\x00-\x7f]*$/;
/** Up to here a loop over the characters is faster than the encoder. */
const SHORT = 256;

/** What a host command may say. In RESP2 every RESP3 type becomes what Redis makes of it. */
export interface ReplyWriter {
  readonly protocol: 2 | 3;
  array(count: number): void;
  /** `count` pairs; RESP2: an array of twice as many. */
  map(count: number): void;
  set(count: number): void;
  push(count: number): void;
  /** Text goes out as UTF-8, bytes as they are. */
  bulk(value: string | Uint8Array): void;
  /** A status line; line breaks become spaces. */
  simple(text: string): void;
  int(value: number | bigint): void;
  double(value: number): void;
  bool(value: boolean): void;
  /** `format` has three letters (`txt`, `mkd`); RESP2: a bulk string. */
  verbatim(format: string, value: string | Uint8Array): void;
  null(): void;
  nullArray(): void;
  /** The text begins with its code: `ERR syntax error`. */
  error(text: string): void;
}

const encoder = new TextEncoder();

function doubleText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  if (value === Number.NEGATIVE_INFINITY) return '-inf';
  if (Number.isNaN(value)) return 'nan';
  return Object.is(value, -0) ? '-0' : String(value);
}

export class RespWriter implements ReplyWriter {
  readonly protocol: 2 | 3;
  #buffer = new Uint8Array(INITIAL_BYTES);
  #length = 0;

  constructor(protocol: 2 | 3) {
    this.protocol = protocol;
  }

  /** What was written since the last reset. The view is valid until the next write. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }

  array(count: number): void {
    this.#line(`*${count}`);
  }

  map(count: number): void {
    this.#line(this.protocol === 3 ? `%${count}` : `*${count * 2}`);
  }

  set(count: number): void {
    this.#line(this.protocol === 3 ? `~${count}` : `*${count}`);
  }

  push(count: number): void {
    this.#line(this.protocol === 3 ? `>${count}` : `*${count}`);
  }

  bulk(value: string | Uint8Array): void {
    this.#blob('$', '', value);
  }

  simple(text: string): void {
    this.#line(`+${text.replace(LINE_BREAK, ' ')}`);
  }

  int(value: number | bigint): void {
    this.#line(`:${value}`);
  }

  double(value: number): void {
    if (this.protocol === 3) this.#line(`,${doubleText(value)}`);
    else this.bulk(doubleText(value));
  }

  bool(value: boolean): void {
    if (this.protocol === 3) this.#line(value ? '#t' : '#f');
    else this.int(value ? 1 : 0);
  }

  verbatim(format: string, value: string | Uint8Array): void {
    if (this.protocol === 3) this.#blob('=', `${format}:`, value);
    else this.bulk(value);
  }

  null(): void {
    this.#line(this.protocol === 3 ? '_' : '$-1');
  }

  nullArray(): void {
    this.#line(this.protocol === 3 ? '_' : '*-1');
  }

  error(text: string): void {
    this.#line(`-${text.replace(LINE_BREAK, ' ')}`);
  }

  #blob(type: string, prefix: string, value: string | Uint8Array): void {
    if (typeof value === 'string' && ASCII.test(value)) {
      this.#text(`${type}${prefix.length + value.length}\r\n${prefix}${value}\r\n`);
      return;
    }
    const body = typeof value === 'string' ? encoder.encode(value) : value;
    this.#text(`${type}${prefix.length + body.length}\r\n${prefix}`);
    this.#reserve(body.length + 2);
    this.#buffer.set(body, this.#length);
    this.#length += body.length;
    this.#buffer[this.#length++] = 13;
    this.#buffer[this.#length++] = 10;
  }

  #line(text: string): void {
    this.#text(`${text}\r\n`);
  }

  #text(text: string): void {
    this.#reserve(text.length * 3);
    if (text.length <= SHORT && this.#ascii(text)) return;
    this.#length += encoder.encodeInto(text, this.#buffer.subarray(this.#length)).written;
  }

  /** For a text that has room; false: it is not ASCII, and nothing is written. */
  #ascii(text: string): boolean {
    const buffer = this.#buffer;
    const at = this.#length;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 127) return false;
      buffer[at + i] = code;
    }
    this.#length = at + text.length;
    return true;
  }

  #reserve(bytes: number): void {
    const need = this.#length + bytes;
    if (need <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(need, this.#buffer.length * 2));
    grown.set(this.bytes());
    this.#buffer = grown;
  }
}
