/**
 * How often each kind of error was answered (INFO errorstats): a table by the first word of the
 * error, in order of appearance.
 *
 *   row, 40 bytes: +0 u64 count, +8 u8 length of the code, +9 up to 30 bytes of it
 *
 * Redis 7.2 gives up when scripts have made 128 codes of their own; here those beyond are not
 * counted.
 */
const ROW: usize = 40;
const ROWS: u32 = 128;
const OFF_LEN: usize = 8;
const OFF_CODE: usize = 9;
/** Longest code; an error whose first word is longer counts as ERR, as in Redis. */
const CODE_MAX: u32 = 30;
const table = memory.data(<i32>ROWS * 40, 16);
/** Codes in the table. */
export let errorCodes: u32 = 0;
const code = memory.data(32);

/** Address of the table. */
export function errorTable(): usize {
  return table;
}

export function errorStatsReset(): void {
  errorCodes = 0;
}

/** Counts an error by its text, which begins with the code. */
export function countErrorText(text: string): void {
  const end = min<u32>(<u32>text.length, CODE_MAX + 1);
  const from = changetype<usize>(text);
  let n: u32 = 0;
  for (; n < end; n++) {
    const c = load<u8>(from + (<usize>n << 1));
    if (c == 32) break;
    store<u8>(code + n, c);
  }
  countCode(n, n < end);
}

/** Counts an error reply made elsewhere: the bytes behind its minus. */
export function countErrorBytes(ptr: usize, len: usize): void {
  const end = min<u32>(<u32>len, CODE_MAX + 1);
  let n: u32 = 0;
  for (; n < end; n++) {
    const c = load<u8>(ptr + n);
    if (c == 32) break;
    store<u8>(code + n, c);
  }
  countCode(n, n < end);
}

/** Counts the code of `len` bytes in the scratch; without one (no blank came) ERR. */
function countCode(len: u32, isWhole: bool): void {
  if (!isWhole) {
    store<u32>(code, 0x525245);
    len = 3;
  }
  for (let i: u32 = 0; i < errorCodes; i++) {
    const row = table + <usize>i * ROW;
    if (load<u8>(row, OFF_LEN) != len || memory.compare(row + OFF_CODE, code, len) != 0) continue;
    store<u64>(row, load<u64>(row) + 1);
    return;
  }
  if (errorCodes == ROWS) return;
  const row = table + <usize>errorCodes * ROW;
  errorCodes++;
  store<u64>(row, 1);
  store<u8>(row, <u8>len, OFF_LEN);
  memory.copy(row + OFF_CODE, code, len);
}
