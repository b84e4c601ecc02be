/**
 * What the host asks of a mode, set before `open`: numbers and texts by place. Which place means
 * what is said where a mode reads it; host/core/inspector.ts has the same names.
 */
import { alloc, free } from '../base/alloc';

export const OPTIONS: u32 = 16;
const numbers = memory.data(128, 8);
/** (u32 ptr, u32 len) each. */
const texts = memory.data(128, 8);

/** All places back to 0 and to no text. */
export function optionsReset(): void {
  memory.fill(numbers, 0, <usize>OPTIONS << 3);
  for (let i: usize = 0; i < OPTIONS; i++) free(load<u32>(texts + (i << 3)));
  memory.fill(texts, 0, <usize>OPTIONS << 3);
}

export function setOptionNumber(place: u32, value: f64): void {
  if (place < OPTIONS) store<f64>(numbers + (<usize>place << 3), value);
}

/** Copies the text. False: no such place, or no memory. */
export function setOptionText(place: u32, ptr: usize, len: usize): bool {
  if (place >= OPTIONS) return false;
  const at = texts + (<usize>place << 3);
  const copy = alloc(len + 1);
  if (copy == 0) return false;
  free(load<u32>(at));
  memory.copy(copy, ptr, len);
  store<u32>(at, <u32>copy);
  store<u32>(at, <u32>len, 4);
  return true;
}

export function optionNumber(place: u32): f64 {
  return load<f64>(numbers + (<usize>place << 3));
}
export function optionTextPtr(place: u32): usize {
  return load<u32>(texts + (<usize>place << 3));
}
export function optionTextLen(place: u32): usize {
  return load<u32>(texts + (<usize>place << 3), 4);
}
