/**
 * Keyspace notifications: every command says what it did to a key; who listens is told.
 *
 * Event classes are the letters of notify-keyspace-events.
 */

export const NOTIFY_KEYSPACE: u32 = 1 << 0; // K
export const NOTIFY_KEYEVENT: u32 = 1 << 1; // E
export const NOTIFY_GENERIC: u32 = 1 << 2; // g
export const NOTIFY_STRING: u32 = 1 << 3; // $
export const NOTIFY_LIST: u32 = 1 << 4; // l
export const NOTIFY_SET: u32 = 1 << 5; // s
export const NOTIFY_HASH: u32 = 1 << 6; // h
export const NOTIFY_ZSET: u32 = 1 << 7; // z
export const NOTIFY_EXPIRED: u32 = 1 << 8; // x
export const NOTIFY_EVICTED: u32 = 1 << 9; // e
export const NOTIFY_STREAM: u32 = 1 << 10; // t
export const NOTIFY_KEY_MISS: u32 = 1 << 11; // m
export const NOTIFY_MODULE: u32 = 1 << 13; // d
export const NOTIFY_NEW: u32 = 1 << 14; // n

/** The classes asked for; 0 = nobody is told anything. */
export let notifyFlags: u32 = 0;

/** A key was changed by `event`, of class `type`, in database number `db`. */
// @ts-ignore: decorator
@inline export function notifyKeyspaceEvent(
  type: u32,
  event: string,
  db: u32,
  keyPtr: usize,
  keyLen: u32,
): void {
  if (notifyFlags & type) publishEvent(event, db, keyPtr, keyLen);
}

function publishEvent(_event: string, _db: u32, _keyPtr: usize, _keyLen: u32): void {}
