// Reads the RDB value of a stream (RDB.md §5) into plain objects: the tests' own loader.

export type Id = [ms: bigint, seq: bigint];

export interface StreamBody {
  type: number;
  nodes: { id: Id; listpack: Buffer }[];
  length: bigint;
  last: Id;
  first: Id;
  maxDeleted: Id;
  added: bigint;
  groups: {
    name: Buffer;
    last: Id;
    read: bigint;
    pending: { id: Id; time: bigint; count: bigint }[];
    consumers: { name: Buffer; seen: bigint; active: bigint; pending: Id[] }[];
    unowned: Id[];
  }[];
  idmp?: {
    duration: bigint;
    max: bigint;
    producers: { name: Buffer; iids: { name: Buffer; id: Id }[] }[];
    added: bigint;
    duplicates: bigint;
  };
}

function lzf(src: Buffer, size: number): Buffer {
  const out = Buffer.alloc(size);
  let to = 0;
  for (let i = 0; i < src.length; ) {
    const ctrl = src[i++]!;
    if (ctrl < 32) {
      src.copy(out, to, i, i + ctrl + 1);
      to += ctrl + 1;
      i += ctrl + 1;
      continue;
    }
    let len = ctrl >> 5;
    if (len === 7) len += src[i++]!;
    let from = to - (((ctrl & 31) << 8) | src[i++]!) - 1;
    for (let k = 0; k < len + 2; k++) out[to++] = out[from++]!;
  }
  return out;
}

export class BodyReader {
  #at = 0;
  constructor(readonly data: Buffer) {}

  get at(): number {
    return this.#at;
  }

  byte(): number {
    return this.data[this.#at++]!;
  }

  len(): bigint {
    const b = this.byte();
    if (b < 64) return BigInt(b);
    if (b < 128) return BigInt(((b & 63) << 8) | this.byte());
    const size = b === 0x80 ? 4 : 8;
    const at = this.#at;
    this.#at += size;
    return size === 4 ? BigInt(this.data.readUInt32BE(at)) : this.data.readBigUInt64BE(at);
  }

  raw(n: number): Buffer {
    this.#at += n;
    return this.data.subarray(this.#at - n, this.#at);
  }

  string(): Buffer {
    const b = this.data[this.#at]!;
    if (b < 0xc0) return this.raw(Number(this.len()));
    this.#at++;
    if (b === 0xc0) return Buffer.from(String(this.raw(1).readInt8()));
    if (b === 0xc1) return Buffer.from(String(this.raw(2).readInt16LE()));
    if (b === 0xc2) return Buffer.from(String(this.raw(4).readInt32LE()));
    const packed = Number(this.len());
    const size = Number(this.len());
    return lzf(this.raw(packed), size);
  }

  id(): Id {
    return [this.len(), this.len()];
  }

  rawId(): Id {
    const b = this.raw(16);
    return [b.readBigUInt64BE(0), b.readBigUInt64BE(8)];
  }

  i64(): bigint {
    return this.raw(8).readBigInt64LE();
  }

  many<T>(one: () => T): T[] {
    const out: T[] = [];
    for (let n = this.len(); n > 0n; n--) out.push(one());
    return out;
  }
}

/** Parses a value, type byte first. */
export function readBody(data: Buffer): StreamBody {
  const r = new BodyReader(data);
  const type = r.byte();
  const v = ({ 15: 1, 19: 2, 21: 3, 26: 4, 27: 5 } as Record<number, number>)[type]!;
  const nodes = r.many(() => {
    const key = r.string();
    const id: Id = [key.readBigUInt64BE(0), key.readBigUInt64BE(8)];
    return { id, listpack: r.string() };
  });
  const zero: Id = [0n, 0n];
  const length = r.len();
  const body: StreamBody = {
    type,
    nodes,
    length,
    last: r.id(),
    first: v > 1 ? r.id() : zero,
    maxDeleted: v > 1 ? r.id() : zero,
    added: v > 1 ? r.len() : length,
    groups: r.many(() => readGroup(r, v)),
  };
  if (v >= 4) body.idmp = readIdmp(r);
  if (r.at !== data.length) throw new Error(`${data.length - r.at} bytes left`);
  return body;
}

function readGroup(r: BodyReader, v: number): StreamBody['groups'][0] {
  return {
    name: r.string(),
    last: r.id(),
    read: v > 1 ? BigInt.asIntN(64, r.len()) : -1n,
    pending: r.many(() => ({ id: r.rawId(), time: r.i64(), count: r.len() })),
    consumers: r.many(() => {
      const name = r.string();
      const seen = r.i64();
      return { name, seen, active: v > 2 ? r.i64() : seen, pending: r.many(() => r.rawId()) };
    }),
    unowned: v >= 5 ? r.many(() => r.rawId()) : [],
  };
}

function readIdmp(r: BodyReader): NonNullable<StreamBody['idmp']> {
  return {
    duration: r.len(),
    max: r.len(),
    producers: r.many(() => ({
      name: r.string(),
      iids: r.many(() => ({ name: r.string(), id: r.id() })),
    })),
    added: r.len(),
    duplicates: r.len(),
  };
}
