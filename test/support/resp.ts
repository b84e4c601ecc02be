// Replies as tests need them: an incremental reader that cuts a byte stream into whole replies
// (RESP2 and RESP3, the raw bytes kept), and a parser that turns one raw reply into a tree.
// Source: the RESP3 specification. Not a client: no pushes are routed, no types are guessed.

export type Reply =
  | { type: 'simple' | 'error' | 'bulk' | 'verbatim' | 'blobError' | 'bignum'; text: string }
  | { type: 'int'; value: bigint }
  | { type: 'double'; text: string }
  | { type: 'bool'; value: boolean }
  | { type: 'null'; form: '$-1' | '*-1' | '_' }
  | { type: 'array' | 'set' | 'push' | 'map' | 'attribute'; items: Reply[] };

export class FramingError extends Error {}

const CR = 13;
const SINGLE_LINE = '+-:,#_(';
const BLOBS = '$=!';
const AGGREGATES = '*~>%|';

/** Cuts a stream of bytes into whole replies; state survives any split of the input. */
export class FrameReader {
  #buffer: Buffer = Buffer.alloc(0);
  #pos = 0;
  /** Values still missing before the reply that starts at offset 0 is whole. */
  #missing = 1;

  push(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
  }

  /** Bytes received and not yet handed out. */
  get pending(): Buffer {
    return this.#buffer;
  }

  /** Everything not yet handed out, whole replies or not; the reader starts afresh. */
  takeAll(): Buffer {
    const all = this.#buffer;
    this.#reset(Buffer.alloc(0));
    return all;
  }

  /** The next whole reply, or undefined when more bytes are needed. */
  next(): Buffer | undefined {
    while (this.#missing > 0) {
      if (!this.#step()) return undefined;
    }
    const frame = this.#buffer.subarray(0, this.#pos);
    this.#reset(this.#buffer.subarray(this.#pos));
    return frame;
  }

  #reset(rest: Buffer): void {
    this.#buffer = rest;
    this.#pos = 0;
    this.#missing = 1;
  }

  /** Passes one header (and blob); false when it is not all here. */
  #step(): boolean {
    const end = this.#buffer.indexOf(CR, this.#pos);
    if (end < 0 || end + 1 >= this.#buffer.length) return false;
    const mark = String.fromCharCode(this.#buffer[this.#pos]!);
    const rest = this.#buffer.toString('latin1', this.#pos + 1, end);
    if (SINGLE_LINE.includes(mark)) {
      this.#missing--;
      this.#pos = end + 2;
    } else if (BLOBS.includes(mark)) {
      const len = readLength(mark, rest);
      const after = len < 0 ? end + 2 : end + 2 + len + 2;
      if (after > this.#buffer.length) return false;
      this.#missing--;
      this.#pos = after;
    } else if (AGGREGATES.includes(mark)) {
      const count = Math.max(0, readLength(mark, rest));
      this.#missing += mark === '%' ? count * 2 - 1 : mark === '|' ? count * 2 : count - 1;
      this.#pos = end + 2;
    } else {
      throw new FramingError(`no reply starts with byte ${this.#buffer[this.#pos]}`);
    }
    return true;
  }
}

function readLength(mark: string, text: string): number {
  if (!/^(-1|\d+)$/.test(text)) throw new FramingError(`bad length after ${mark}: ${text}`);
  return Number(text);
}

/** One raw reply as a tree. Throws FramingError when bytes are missing or left over. */
export function parseReply(raw: Buffer): Reply {
  const cursor = { raw, pos: 0 };
  const reply = readValue(cursor);
  if (cursor.pos !== raw.length) throw new FramingError('bytes left after the reply');
  return reply;
}

function readValue(cursor: { raw: Buffer; pos: number }): Reply {
  const { raw, pos } = cursor;
  const end = raw.indexOf('\r\n', pos, 'latin1');
  if (end < 0) throw new FramingError('reply is cut short');
  const mark = String.fromCharCode(raw[pos]!);
  const line = raw.toString('latin1', pos + 1, end);
  cursor.pos = end + 2;
  switch (mark) {
    case '+':
      return { type: 'simple', text: line };
    case '-':
      return { type: 'error', text: line };
    case ':':
      return { type: 'int', value: BigInt(line) };
    case ',':
      return { type: 'double', text: line };
    case '(':
      return { type: 'bignum', text: line };
    case '#':
      return { type: 'bool', value: line === 't' };
    case '_':
      return { type: 'null', form: '_' };
    case '$':
    case '=':
    case '!':
      return readBlob(cursor, mark, readLength(mark, line));
    default:
      return readAggregate(cursor, mark, line);
  }
}

function readBlob(cursor: { raw: Buffer; pos: number }, mark: string, len: number): Reply {
  if (len < 0) return { type: 'null', form: '$-1' };
  const text = cursor.raw.toString('latin1', cursor.pos, cursor.pos + len);
  cursor.pos += len + 2;
  if (cursor.pos > cursor.raw.length) throw new FramingError('blob is cut short');
  return { type: mark === '$' ? 'bulk' : mark === '=' ? 'verbatim' : 'blobError', text };
}

function readAggregate(cursor: { raw: Buffer; pos: number }, mark: string, line: string): Reply {
  const type = ({ '*': 'array', '~': 'set', '>': 'push', '%': 'map', '|': 'attribute' } as const)[
    mark as '*'
  ];
  if (type === undefined) throw new FramingError(`no reply starts with ${mark}`);
  const count = readLength(mark, line);
  if (count < 0) return { type: 'null', form: '*-1' };
  const items: Reply[] = [];
  const total = mark === '%' || mark === '|' ? count * 2 : count;
  for (let i = 0; i < total; i++) items.push(readValue(cursor));
  return { type, items };
}

export class ReplyError extends Error {}

export type Plain = string | number | bigint | boolean | null | ReplyError | Plain[];

/** A reply as plain values for asserts: latin1 strings, numbers (bigint beyond 2^53), arrays. */
export function plain(reply: Reply | Buffer): Plain {
  const tree = Buffer.isBuffer(reply) ? parseReply(reply) : reply;
  switch (tree.type) {
    case 'int': {
      const small = Number(tree.value);
      return Number.isSafeInteger(small) ? small : tree.value;
    }
    case 'double':
      return Number(tree.text.replace('inf', 'Infinity'));
    case 'bool':
      return tree.value;
    case 'null':
      return null;
    case 'error':
    case 'blobError':
      return new ReplyError(tree.text);
    case 'verbatim':
      return tree.text.slice(4);
    case 'simple':
    case 'bulk':
    case 'bignum':
      return tree.text;
    default:
      return tree.items.map(plain);
  }
}
