/**
 * The server that exported commands are for: which commands and options it has, which RDB versions
 * its RESTORE reads. Asked for by the host, or else that of the file: what it says in its auxiliary
 * fields, what its version tells.
 *
 * A level is a Redis version, 100 * major + minor. Valkey counts as the Redis whose commands it
 * has: up to 8.1 that is 7.2, from 9.0 on 7.4 (for field expiry).
 */
import { equalsLiteral } from '../base/literal';
import { RdbReader } from '../rdb/input';
import { TYPE_HASH_META_PRE_GA } from '../rdb/opcodes';

/** First level with: UNLINK and HSET of several fields; */
export const LEVEL_UNLINK: u32 = 400;
/** streams, RESTORE's ABSTTL, IDLETIME and FREQ; */
export const LEVEL_STREAMS: u32 = 500;
/** SET's PXAT, XGROUP CREATECONSUMER; */
export const LEVEL_PXAT: u32 = 602;
/** XSETID's and XGROUP CREATE's counters, functions; */
export const LEVEL_FUNCTIONS: u32 = 700;
/** expiry of hash fields; */
export const LEVEL_FIELD_EXPIRY: u32 = 704;
/** idempotent producers of streams: how long they are remembered; */
export const LEVEL_IDMP: u32 = 806;
/** what they produced (XIDMPRECORD), pending entries without a consumer (XNACK). */
export const LEVEL_NACK: u32 = 808;

/** Levels by RDB version, from 6 on; all before is 2.6 at least. */
const LEVELS = memory.data<u16>([206, 302, 400, 500, 700, 702, 704, 806, 808, 810]);
const LEVELS_COUNT: u32 = 10;

/** Valkey's own versions of the RDB begin here. */
const VALKEY_VERSION: u32 = 80;
/** The last version that Redis and Valkey share. */
const SHARED_VERSION: u32 = 11;

/** Valid from the first key on. */
export let level: u32 = 0;
/** The host asked for it: there is a reason. */
export let isGiven: bool = false;
/** Highest RDB version of a payload, 0 = any. */
let payloadMax: u32 = 0;

/** `given`: a level, 0 = the file's. */
export function targetBegin(given: u32, payload: u32): void {
  level = given;
  isGiven = given != 0;
  payloadMax = payload;
}

/** An auxiliary field of the file. */
export function targetAux(r: RdbReader): void {
  if (isGiven) return;
  const isRedis = equalsLiteral(r.a.ptr, <u32>r.a.len, 'redis-ver');
  if (!isRedis && !equalsLiteral(r.a.ptr, <u32>r.a.len, 'valkey-ver')) return;
  const version = versionOf(r.b.ptr, r.b.len);
  // Valkey writes a redis-ver of 7.2.4 or 255.255.255 beside its own
  if (version == 0 || version > 9999) return;
  if (isRedis) level = max(level, version);
  else level = version >= 900 ? LEVEL_FIELD_EXPIRY : 702;
}

/** "7.0.15" is 700; 0 when it is no version. */
function versionOf(ptr: usize, len: usize): u32 {
  let major: u32 = 0;
  let minor: u32 = 0;
  let dots: u32 = 0;
  for (let i: usize = 0; i < len && dots < 2; i++) {
    const c = <u32>load<u8>(ptr + i);
    if (c == 0x2e) dots++;
    else if (c - 0x30 > 9) return 0;
    else if (dots == 0) major = major * 10 + c - 0x30;
    else minor = minor * 10 + c - 0x30;
    if (major > 999 || minor > 99) return 0;
  }
  return dots == 0 ? 0 : major * 100 + minor;
}

/** The head of the file is over, without a word about its server if `level` is 0 still. */
export function targetOfFile(r: RdbReader): void {
  if (level != 0) return;
  const at = r.version < 6 ? <u32>0 : min<u32>(r.version - 6, LEVELS_COUNT - 1);
  // Valkey 9 counts from 80 on
  if (r.isValkey) level = LEVEL_FIELD_EXPIRY;
  else level = load<u16>(LEVELS + (<usize>at << 1));
}

/** Whether the server has what came with `wanted`. */
// @ts-ignore: decorator
@inline export function has(wanted: u32): bool {
  return level >= wanted;
}

/**
 * The lowest RDB version whose servers read values of the type, to be written into its payload; 0
 * when no RESTORE takes it (hash templates by reference, release candidates) or the target's does
 * not.
 */
export function payloadVersion(r: RdbReader): u32 {
  const version = versionOfType(r.type, r.isValkey);
  if (payloadMax == 0 || version == 0) return version;
  if (version == VALKEY_VERSION) return payloadMax >= VALKEY_VERSION ? version : 0;
  const most = payloadMax >= VALKEY_VERSION ? SHARED_VERSION : payloadMax;
  return version <= most ? version : 0;
}

/** By type, from 0 on. */
const VERSIONS = memory.data<u8>([
  6, 6, 6, 6, 6, 8, 0, 8, 0, 6, 6, 6, 6, 6, 7, 9, 10, 10, 10, 10, 11, 11, 0, 0, 12, 12, 13, 14, 14,
  15, 0, 15, 0,
]);

function versionOfType(type: u32, isValkey: bool): u32 {
  if (isValkey && type == TYPE_HASH_META_PRE_GA) return VALKEY_VERSION;
  return type > 32 ? 0 : load<u8>(VERSIONS + type);
}
