// A long string that lies in the file as it is, which the largest do not all: it needs no reader,
// only its place, so that any part of it comes at once and nobody holds it.

import type { KeyFacts } from '../../rdb/records.js';
import type { ValueRequest } from '../protocol.js';
import type { OpenSource } from './source.js';

/** Type byte of strings, and what may be in front of it: assembly/rdb/opcodes.ts. */
const TYPE_STRING = 0;
const OP_EXPIRE_MS = 0xfc;
const OP_EXPIRE_SEC = 0xfd;
const OP_FREQ = 0xf9;
const OP_IDLE = 0xf8;
/** More than all of these and the lengths take. */
const FRONT_BYTES = 64;

export interface RawString {
  facts: KeyFacts;
  /** Place in the file. */
  start: number;
  length: number;
}

/** Walks over the front of a record. */
class Front {
  at = 0;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  byte(): number {
    return this.#view.getUint8(this.at++);
  }

  u32(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4, true);
  }

  i64(): number {
    this.at += 8;
    return Number(this.#view.getBigInt64(this.at - 8, true));
  }

  /** Undefined: what follows is packed or a number. */
  length(): number | undefined {
    const first = this.byte();
    if (first < 0x40) return first;
    if (first < 0x80) return ((first & 0x3f) << 8) | this.byte();
    const at = this.at;
    if (first === 0x80) {
      this.at += 4;
      return this.#view.getUint32(at);
    }
    if (first !== 0x81) return undefined;
    this.at += 8;
    return Number(this.#view.getBigUint64(at));
  }
}

async function bytesAt(file: OpenSource, from: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let have = 0;
  for await (const piece of file.pieces({ from, to: from + length })) {
    bytes.set(piece.subarray(0, length - have), have);
    have = Math.min(length, have + piece.length);
  }
  return bytes.subarray(0, have);
}

/** The string at `offset`, when it is one and not packed. */
export async function rawString(
  file: OpenSource,
  { db, key, isCut, offset }: ValueRequest,
): Promise<RawString | undefined> {
  if (offset === undefined || file.isPacked || isCut) return undefined;
  const bytes = await bytesAt(file, offset, FRONT_BYTES + key.length);
  const front = new Front(bytes);
  const facts: Pick<KeyFacts, 'expireAtMs' | 'idleSec' | 'freq'> = {
    ...{ expireAtMs: undefined, idleSec: undefined, freq: undefined },
  };
  try {
    let op = front.byte();
    for (; op >= OP_IDLE; op = front.byte()) {
      if (op === OP_EXPIRE_MS) facts.expireAtMs = front.i64();
      else if (op === OP_EXPIRE_SEC) facts.expireAtMs = front.u32() * 1000;
      else if (op === OP_IDLE) facts.idleSec = front.length();
      else if (op === OP_FREQ) facts.freq = front.byte();
      else return undefined;
    }
    const isNamed =
      op === TYPE_STRING &&
      front.length() === key.length &&
      key.every((byte, i) => byte === bytes[front.at + i]);
    if (!isNamed) return undefined;
    front.at += key.length;
    const length = front.length();
    if (length === undefined) return undefined;
    return { facts: { ...NOT_READ, ...facts, db, key, offset }, start: offset + front.at, length };
  } catch (error) {
    // the file ends here
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

type Unread = Omit<KeyFacts, 'db' | 'key' | 'offset' | 'expireAtMs' | 'idleSec' | 'freq'>;

const NOT_READ: Unread = {
  ...{ rdbType: TYPE_STRING, count: -1, largest: -1, payloadBytes: -1 },
  ...{ fileBytes: -1, memoryBytes: -1, expiringFields: 0 },
  type: 'string',
  encoding: 'raw',
};

/** Some of its bytes. */
export function partOf(
  file: OpenSource,
  { start, length }: RawString,
  from: number,
  most: number,
): Promise<Uint8Array> {
  return bytesAt(file, start + from, Math.max(0, Math.min(most, length - from)));
}
