// CRC-64 as Redis puts it under RDB files and DUMP payloads (polynomial 0xad93d23594c935a9,
// reflected, start 0, no final xor). Slow BigInt form, for crafting payloads in tests only.

const POLY = 0x95ac9329ac4bc9b5n;
const TABLE: bigint[] = [];
for (let i = 0; i < 256; i++) {
  let crc = BigInt(i);
  for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ POLY : crc >> 1n;
  TABLE.push(crc);
}

export function crc64(bytes: Uint8Array, start = 0n): bigint {
  let crc = start;
  for (const byte of bytes) crc = TABLE[Number((crc ^ BigInt(byte)) & 255n)]! ^ (crc >> 8n);
  return crc;
}

/** A DUMP payload from its body (type byte and value): adds version and checksum. */
export function sealDump(body: Uint8Array, version = 10): Buffer {
  const out = Buffer.alloc(body.length + 10);
  out.set(body);
  out.writeUInt16LE(version, body.length);
  out.writeBigUInt64LE(crc64(out.subarray(0, body.length + 2)), body.length + 2);
  return out;
}
