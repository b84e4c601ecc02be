/**
 * String literals of the source as bytes. AssemblyScript keeps a literal as static UTF-16 data;
 * these helpers use it as ASCII without allocating. Literals must be ASCII.
 */

/** Copies a literal's characters to `to` as bytes; returns their number. */
export function writeLiteral(to: usize, text: string): u32 {
  const from = changetype<usize>(text);
  const n = <u32>text.length;
  for (let i: u32 = 0; i < n; i++) store<u8>(to + i, load<u8>(from + (<usize>i << 1)));
  return n;
}

/** Whether the bytes are this word in any case; the word itself must be in lower case. */
export function equalsNoCase(ptr: usize, len: u32, word: string): bool {
  if (len != <u32>word.length) return false;
  const from = changetype<usize>(word);
  for (let i: u32 = 0; i < len; i++) {
    let c: u32 = load<u8>(ptr + i);
    if (c - 65 < 26) c |= 32;
    if (c != load<u8>(from + (<usize>i << 1))) return false;
  }
  return true;
}

/** Whether the bytes are exactly this word. */
export function equalsLiteral(ptr: usize, len: u32, word: string): bool {
  if (len != <u32>word.length) return false;
  const from = changetype<usize>(word);
  for (let i: u32 = 0; i < len; i++) {
    if (load<u8>(ptr + i) != load<u8>(from + (<usize>i << 1))) return false;
  }
  return true;
}
