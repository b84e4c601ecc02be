// Replies for the eye: RESP2 and RESP3 bytes as a tree that says of each part what it was. Long
// replies are cut at a budget; what is left out is counted.

export type Reply =
  | { kind: 'simple' | 'error' | 'number' | 'double' | 'big' | 'bool'; text: string }
  | { kind: 'null' }
  | { kind: 'bulk' | 'verbatim'; bytes: Uint8Array; length: number }
  | { kind: 'array' | 'set' | 'push' | 'map'; items: Reply[]; count: number };

const NODES_MAX = 5000;
const BULK_BYTES_MAX = 64 * 1024;
const CR = 13;
const decoder = new TextDecoder();

const LINES: Record<string, 'simple' | 'error' | 'number' | 'double' | 'big'> = {
  '+': 'simple',
  '-': 'error',
  ':': 'number',
  ',': 'double',
  '(': 'big',
};
const CONTAINERS: Record<string, 'array' | 'set' | 'push' | 'map'> = {
  '*': 'array',
  '~': 'set',
  '>': 'push',
  '%': 'map',
};

/** All replies in bytes that hold nothing else. */
export class ReplyTree {
  readonly #bytes: Uint8Array;
  #at = 0;
  #left = NODES_MAX;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  all(): Reply[] {
    const out: Reply[] = [];
    while (this.#at < this.#bytes.length) out.push(this.#next());
    return out;
  }

  #next(): Reply {
    this.#left--;
    const sign = String.fromCharCode(this.#bytes[this.#at++] as number);
    const line = this.#line();
    const kind = LINES[sign];
    if (kind !== undefined) return { kind, text: line };
    const container = CONTAINERS[sign];
    if (container !== undefined) return this.#container(container, Number(line));
    if (sign === '#') return { kind: 'bool', text: line === 't' ? 'true' : 'false' };
    if (sign === '_') return { kind: 'null' };
    if (sign === '!') return { kind: 'error', text: decoder.decode(this.#blob(Number(line))) };
    if (sign === '=') return this.#bulk('verbatim', Number(line));
    return Number(line) < 0 ? { kind: 'null' } : this.#bulk('bulk', Number(line));
  }

  #bulk(kind: 'bulk' | 'verbatim', length: number): Reply {
    const head = kind === 'verbatim' ? 4 : 0; // `txt:`
    const blob = this.#blob(length).subarray(head);
    return { kind, bytes: blob.slice(0, BULK_BYTES_MAX), length: blob.length };
  }

  #container(kind: 'array' | 'set' | 'push' | 'map', count: number): Reply {
    if (count < 0) return { kind: 'null' };
    const items: Reply[] = [];
    const parts = kind === 'map' ? count * 2 : count;
    for (let i = 0; i < parts; i++) {
      const isKept = this.#left > 0 || (kind === 'map' && items.length % 2 === 1);
      const item = this.#next();
      if (isKept) items.push(item);
    }
    return { kind, items, count };
  }

  #line(): string {
    const end = this.#bytes.indexOf(CR, this.#at);
    const line = decoder.decode(this.#bytes.subarray(this.#at, end));
    this.#at = end + 2;
    return line;
  }

  #blob(length: number): Uint8Array {
    const blob = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length + 2;
    return blob;
  }
}
