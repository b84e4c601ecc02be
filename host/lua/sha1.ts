// SHA-1 (FIPS 180-4) of a string of bytes, in hex: the name of a script.

const K = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6];

function mix(round: number, ...[b, c, d]: [number, number, number]): number {
  if (round === 0) return (b & c) | (~b & d);
  return round === 2 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
}

function padded(text: string): DataView {
  const n = text.length;
  const view = new DataView(new ArrayBuffer(((n + 8) >> 6) * 64 + 64));
  for (let i = 0; i < n; i++) view.setUint8(i, text.charCodeAt(i));
  view.setUint8(n, 0x80);
  view.setBigUint64(view.byteLength - 8, BigInt(n) * 8n);
  return view;
}

export function sha1Hex(text: string): string {
  const h = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  const view = padded(text);
  const w = new Int32Array(80);
  for (let block = 0; block < view.byteLength; block += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(block + 4 * i);
    for (let i = 16; i < 80; i++) {
      const x =
        (w[i - 3] as number) ^ (w[i - 8] as number) ^ (w[i - 14] as number) ^ (w[i - 16] as number);
      w[i] = (x << 1) | (x >>> 31);
    }
    let [a, b, c, d, e] = h as [number, number, number, number, number];
    for (let i = 0; i < 80; i++) {
      const round = Math.floor(i / 20);
      const t =
        (((a << 5) | (a >>> 27)) +
          mix(round, b, c, d) +
          e +
          (w[i] as number) +
          (K[round] as number)) |
        0;
      e = d;
      d = c;
      c = (b << 30) | (b >>> 2);
      b = a;
      a = t;
    }
    [a, b, c, d, e].forEach((v, i) => {
      h[i] = ((h[i] as number) + v) | 0;
    });
  }
  return h.map((v) => (v >>> 0).toString(16).padStart(8, '0')).join('');
}
