/**
 * Bytes of the file as text of an output format: which bytes stay, which are written otherwise.
 *
 * Sources: RFC 8259 section 7 and RFC 3629 (JSON, UTF-8); RFC 4180 (CSV).
 */

/** As they are. */
export const ESCAPE_NONE: u32 = 0;
/** Most bytes that one byte may become. */
export const ESCAPE_MAX: usize = 6;

/** Writes [ptr, ptr + len) at `to`, which has room for ESCAPE_MAX times as much; bytes written. */
export function escape(_how: u32, ptr: usize, len: usize, to: usize): usize {
  memory.copy(to, ptr, len);
  return len;
}

/** Where a string may be cut so that both parts can be escaped alone: at most `n`, above 0. */
export function escapeCut(_how: u32, _ptr: usize, n: usize): usize {
  return n;
}
