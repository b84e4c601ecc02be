/**
 * Pieces of JSON: strings of the file, pairs, numbers; and the comma between the members of the
 * container that is open.
 */
import { formatShortest } from '../base/numbers/format';
import { ESCAPE_SLACK, ESCAPE_UTF8, escape } from './escape';
import { OUT_LONG, outByte, outCommit, outReserve, outString } from './out';
import { PUT_SLACK, putByte, putInt, putLiteral } from './put';

const COMMA: u32 = 0x2c;
const QUOTE: u32 = 0x22;
const COLON: u32 = 0x3a;

/** ESCAPE_* of strings of the file. */
export let jsonEscape: u32 = ESCAPE_UTF8;
/** The open container has a member already. */
let hasMember: bool = false;

export function setJsonEscape(how: u32): void {
  jsonEscape = how;
}

/** A container was opened. */
// @ts-ignore: decorator
@inline export function jsonOpened(): void {
  hasMember = false;
}

/** A container was closed: the one around it has a member, the closed one. */
// @ts-ignore: decorator
@inline export function jsonClosed(): void {
  hasMember = true;
}

/** What stands before the next member: a comma, or nothing (0). */
// @ts-ignore: decorator
@inline export function jsonComma(): u32 {
  const before = hasMember ? COMMA : 0;
  hasMember = true;
  return before;
}

/** A string of the file in quotes, after the character `before` unless it is 0. */
export function jsonString(before: u32, ptr: usize, len: usize): void {
  if (len > OUT_LONG) {
    if (before != 0) outByte(before);
    outByte(QUOTE);
    outString(jsonEscape, ptr, len);
    outByte(QUOTE);
    return;
  }
  const room = outReserve(len * 6 + ESCAPE_SLACK + 4);
  if (room == 0) return;
  let at = room;
  if (before != 0) store<u8>(at++, <u8>before);
  store<u8>(at++, QUOTE);
  at += escape(jsonEscape, ptr, len, at);
  store<u8>(at++, QUOTE);
  outCommit(at - room);
}

/** A member of an object whose value is a string. */
export function jsonPair(ptr: usize, len: usize, valuePtr: usize, valueLen: usize): void {
  jsonString(jsonComma(), ptr, len);
  jsonString(COLON, valuePtr, valueLen);
}

/** A literal that ends in front of a number, and the number. */
export function jsonInt(text: string, value: i64): void {
  const room = outReserve(<usize>text.length + PUT_SLACK + 24);
  if (room != 0) outCommit(putInt(putLiteral(room, text), value) - room);
}

/** A score: a number, or a string where JSON has no number for it. */
export function putScore(to: usize, score: f64): usize {
  if (score != score || abs<f64>(score) == Infinity) {
    const at = putByte(to, QUOTE);
    return putByte(at + formatShortest(score, at), QUOTE);
  }
  const at = to + formatShortest(score, to);
  // "-0" is an integer to many, which has no sign
  if (score == 0 && at - to == 2) return putLiteral(at, '.0');
  return at;
}
