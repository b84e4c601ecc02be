// Writers of the forms the product only reads: ziplist and zipmap, for test data.

import type { Rng } from './module.js';

function canonical(text: Buffer): bigint | undefined {
  if (!text.length || text.length > 20) return undefined;
  const s = text.toString('latin1');
  if (!/^(0|-?[1-9][0-9]*)$/.test(s)) return undefined;
  const v = BigInt(s);
  return v === BigInt.asIntN(64, v) ? v : undefined;
}

function zlEncode(text: Buffer, asText: boolean): Buffer {
  const v = asText ? undefined : canonical(text);
  if (v === undefined) {
    if (text.length < 64) return Buffer.concat([Buffer.from([text.length]), text]);
    if (text.length < 16384) {
      return Buffer.concat([Buffer.from([0x40 | (text.length >> 8), text.length & 255]), text]);
    }
    const head = Buffer.from([0x80, 0, 0, 0, 0]);
    head.writeUInt32BE(text.length, 1);
    return Buffer.concat([head, text]);
  }
  if (v >= 0n && v <= 12n) return Buffer.from([0xf1 + Number(v)]);
  for (const [byte, size] of [
    [0xfe, 1],
    [0xc0, 2],
    [0xf0, 3],
    [0xd0, 4],
    [0xe0, 8],
  ] as const) {
    if (v !== BigInt.asIntN(size * 8, v)) continue;
    const out = Buffer.alloc(9);
    out[0] = byte;
    out.writeBigInt64LE(v, 1);
    return out.subarray(0, size + 1);
  }
  throw new Error('unreachable');
}

/** A ziplist of the elements; `rng` also varies what a writer may vary (long prevlens, text). */
export function ziplist(items: Buffer[], rng: Rng): Buffer {
  const parts: Buffer[] = [];
  let prev = 0;
  let off = 10;
  let tail = 10;
  for (const item of items) {
    let head: Buffer;
    if (prev < 254 && rng.below(20)) {
      head = Buffer.from([prev]);
    } else {
      head = Buffer.from([254, 0, 0, 0, 0]);
      head.writeUInt32LE(prev, 1);
    }
    const entry = Buffer.concat([head, zlEncode(item, !rng.below(10))]);
    parts.push(entry);
    prev = entry.length;
    tail = off;
    off += prev;
  }
  const head = Buffer.alloc(10);
  head.writeUInt32LE(off + 1, 0);
  head.writeUInt32LE(tail, 4);
  head.writeUInt16LE(Math.min(items.length, 65535), 8);
  return Buffer.concat([head, ...parts, Buffer.from([255])]);
}

function zmLen(n: number): Buffer {
  if (n < 254) return Buffer.from([n]);
  const out = Buffer.from([254, 0, 0, 0, 0]);
  out.writeUInt32LE(n, 1);
  return out;
}

/** A zipmap of f, v, f, v …, with some free bytes. */
export function zipmap(items: Buffer[], rng: Rng): Buffer {
  const parts: Buffer[] = [Buffer.from([Math.min(items.length / 2, 254)])];
  for (let i = 0; i < items.length; i += 2) {
    const [f, v] = [items[i] as Buffer, items[i + 1] as Buffer];
    const free = rng.below(4) ? 0 : rng.below(5);
    parts.push(zmLen(f.length), f, zmLen(v.length), Buffer.from([free]), v, rng.bytes(free));
  }
  parts.push(Buffer.from([255]));
  return Buffer.concat(parts);
}

/** An intset of the members. */
export function intset(members: bigint[]): Buffer {
  const sorted = [...new Set(members)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const fits = (bits: number) => sorted.every((v) => v === BigInt.asIntN(bits, v));
  const width = fits(16) ? 2 : fits(32) ? 4 : 8;
  const out = Buffer.alloc(8 + sorted.length * width);
  out.writeUInt32LE(width, 0);
  out.writeUInt32LE(sorted.length, 4);
  for (const [i, v] of sorted.entries()) {
    const raw = Buffer.alloc(8);
    raw.writeBigInt64LE(v);
    raw.copy(out, 8 + i * width, 0, width);
  }
  return out;
}

/** A mutation of valid bytes: flips, interesting values, cuts, doublings. */
export function mutate(bytes: Buffer, rng: Rng): Buffer {
  let out = Buffer.from(bytes);
  for (let n = 1 + rng.below(3); n > 0; n--) {
    const at = rng.below(rng.below(3) ? out.length : Math.min(12, out.length));
    switch (rng.below(6)) {
      case 0:
        out[at] = (out[at] as number) ^ (1 << rng.below(8));
        break;
      case 1:
        out[at] = rng.pick([0, 1, 2, 127, 128, 254, 255, 0xf0, 0xf1, 0xf4, 0xc0, 0xe0, 0xfe]);
        break;
      case 2:
        out[at] = rng.below(256);
        break;
      case 3:
        if (at + 4 <= out.length) out.writeUInt32LE(rng.pick([0, 0xffffffff, 0x7fffffff, at]), at);
        break;
      case 4:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + rng.below(3))]);
        break;
      default:
        out = Buffer.concat([out.subarray(0, at + 1), out.subarray(at)]);
    }
    if (!out.length) return Buffer.from([255]);
  }
  // Half of the time repair what a check sees first, so that mutations get deeper.
  if (rng.below(2) && out.length >= 4) out.writeUInt32LE(out.length, 0);
  return out;
}
