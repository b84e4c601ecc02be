// Where the keys are in a command line: for COMMAND GETKEYS(ANDFLAGS), ACL, tracking and cluster.
//
// It is not a validator: a line Redis would run may have no keys, and a line it would refuse may
// have some. What counts is to name the same arguments as Redis does, malformed lines included
// (the differential test sends hundreds of them to a real server).
//
// Source of the rules: the key specifications of the COMMAND reply (begin_search, find_keys), read
// from the generated table, and for lines the specs cannot describe (SORT ... STORE, MIGRATE ...
// KEYS, XREAD options, counts with junk after the digits) the observed behaviour of
// redis-server 7.0.15. Per command:
//
//   1. specs, unless one has variable_flags: each gives a run of arguments, nothing (its keyword
//      is missing), or fails;
//   2. if one fails (run out of bounds, bad count, "incomplete", "unknown"): none of them counts,
//      and the command's own procedure (getKeys in its row) decides, if it has one;
//   3. no procedure: no keys.
//
// For the implementer of COMMAND GETKEYS and COMMAND GETKEYSANDFLAGS (errors are of kind ERR):
//
//   command unknown, or unknown subcommand of a container   Invalid command specified
//   !cmdHasKeys(id)                                         The command has no key arguments
//   !cmdArityOk(id, argc - 2)              Invalid number of arguments specified for command
//   keysOf == 0, CMDFLAG_NO_MANDATORY_KEYS                  (an empty array)
//   keysOf == 0                            Invalid arguments specified for command
//
// in this order. GETKEYS answers an array of the arguments; GETKEYSANDFLAGS an array of pairs,
// the argument and its flags (RESP3: a set) in the order of the KEYFLAG_* bits, as simple strings.

import { alloc, free } from '../base/alloc';
import {
  CMDFLAG_MOVABLEKEYS,
  GETKEYS_BITFIELD,
  GETKEYS_COUNT,
  GETKEYS_MIGRATE,
  GETKEYS_SET,
  GETKEYS_SORT,
  GETKEYS_SORT_RO,
  GETKEYS_XREAD,
  KEYFLAG_ACCESS,
  KEYFLAG_DELETE,
  KEYFLAG_INCOMPLETE,
  KEYFLAG_NOT_KEY,
  KEYFLAG_OW,
  KEYFLAG_RO,
  KEYFLAG_RW,
  KEYFLAG_UPDATE,
  KEYFLAG_VARIABLE_FLAGS,
  KW_AUTH,
  KW_AUTH2,
  KW_BLOCK,
  KW_BY,
  KW_COUNT,
  KW_GET,
  KW_GROUP,
  KW_INCRBY,
  KW_KEYS,
  KW_LIMIT,
  KW_NOACK,
  KW_OVERFLOW,
  KW_SET,
  KW_STORE,
  KW_STREAMS,
} from './generated/ids';
import {
  cmdFlags,
  cmdGetKeysParam,
  cmdGetKeysProc,
  cmdKeySpec,
  cmdKeySpecCount,
  keySpecKeyword,
  lower8,
} from './generated/table';

// Result: `count` pairs of u32 from keysOfPtr on.
//   0 u32 argument index    4 u32 KEYFLAG_* bits
// The first STATIC_CAP live in static memory, longer results in one block that stays for reuse
// until a result of ordinary size follows one above HEAP_KEEP_CAP.
const STATIC_CAP: i32 = 64;
const HEAP_KEEP_CAP: i32 = 4096;
const STATIC_KEYS: usize = memory.data(512, 8);

/** Address of the pairs of the last keysOf. Valid until the next keysOf. */
export let keysOfPtr: usize = STATIC_KEYS;

let keyCap: i32 = STATIC_CAP;
let keyCount: i32 = 0;
let isOom: bool = false;

/** keysOf could not get memory for the result. */
export const KEYS_OOM: i32 = -1;

/**
 * Finds the key arguments of a line of `argc` words (0 the name; for a subcommand 1 is its own
 * name), `argv` being an array of {ptr: u32, len: u32}. Result: how many, their pairs at
 * keysOfPtr; 0 if there are none or the line is malformed; KEYS_OOM. Arity must have been checked.
 * With `withChannels`, arguments of specs marked not_key (shard channels) count too.
 * May grow memory (more than 64 keys). O(argc).
 */
export function keysOf(id: i32, argc: i32, argv: usize, withChannels: bool = false): i32 {
  shrink();
  keyCount = 0;
  isOom = false;
  const specs = cmdKeySpecCount(id);
  let isVariable = false;
  for (let n = 0; n < specs; n++) {
    if (load<u32>(cmdKeySpec(id, n)) & KEYFLAG_VARIABLE_FLAGS) isVariable = true;
  }
  if (specs > 0 && !isVariable) {
    if (keysBySpecs(id, argc, argv, withChannels)) return isOom ? KEYS_OOM : keyCount;
    keyCount = 0;
  }
  keysByProc(id, argc, argv);
  return isOom ? KEYS_OOM : keyCount;
}

/** Whether the legacy range of the row tells all key positions (no keysOf needed). */
export function keysAreFixed(id: i32): bool {
  return (cmdFlags(id) & CMDFLAG_MOVABLEKEYS) == 0;
}

// ---- the result array ----

function shrink(): void {
  if (keyCap <= HEAP_KEEP_CAP) return;
  free(keysOfPtr);
  keysOfPtr = STATIC_KEYS;
  keyCap = STATIC_CAP;
}

/** Makes room for `more` further pairs; false, with isOom set, if there is no memory. */
function reserve(more: i32): bool {
  const need = keyCount + more;
  if (need <= keyCap) return true;
  const cap = max(need, keyCap * 2);
  const block = alloc(<usize>cap << 3);
  if (block == 0) {
    isOom = true;
    keyCount = 0;
    return false;
  }
  memory.copy(block, keysOfPtr, <usize>keyCount << 3);
  if (keysOfPtr != STATIC_KEYS) free(keysOfPtr);
  keysOfPtr = block;
  keyCap = cap;
  return true;
}

// @ts-ignore: decorator
@inline function setKey(n: i32, index: i32, flags: u32): void {
  const pair = keysOfPtr + (<usize>n << 3);
  store<u32>(pair, index);
  store<u32>(pair, flags, 4);
}

/** Appends one key; nothing happens without memory (isOom tells). */
function pushKey(index: i32, flags: u32): void {
  if (reserve(1)) setKey(keyCount++, index, flags);
}

// ---- words of the line ----

// @ts-ignore: decorator
@inline function argPtr(argv: usize, index: i32): usize {
  return load<u32>(argv + (<usize>index << 3));
}

// @ts-ignore: decorator
@inline function argLen(argv: usize, index: i32): u32 {
  return load<u32>(argv + (<usize>index << 3), 4);
}

/** Whether word `index` is keyword number `keyword`, in any case. */
function argIs(argv: usize, index: i32, keyword: i32): bool {
  const word = keySpecKeyword(keyword);
  const len = argLen(argv, index);
  if (len != <u32>load<u8>(word, 15)) return false;
  const ptr = argPtr(argv, index);
  for (let i: u32 = 0; i < len; i++) {
    if ((<u8>lower8(load<u8>(ptr + i))) != load<u8>(word + i)) return false;
  }
  return true;
}

// @ts-ignore: decorator
@inline function isDigit(c: i32): bool {
  return c >= 0x30 && c <= 0x39;
}

let countValue: i64 = 0;

/**
 * Strict decimal integer (no sign but "-", no leading zero, no space) of 64 bits into countValue.
 * Negative numbers are of no use here: they are refused like malformed ones.
 */
function parseCount(ptr: usize, len: u32): bool {
  if (len == 0 || len > 19) return false;
  if (len > 1 && load<u8>(ptr) == 0x30) return false;
  let value: u64 = 0;
  for (let i: u32 = 0; i < len; i++) {
    const c = <i32>load<u8>(ptr + i);
    if (!isDigit(c)) return false;
    value = value * 10 + <u64>(c - 0x30);
  }
  if (value > <u64>i64.MAX_VALUE) return false;
  countValue = <i64>value;
  return true;
}

/**
 * Redis: key procedures read counts as C's atoi does: leading space and sign, then digits, rest
 * ignored; saturated at 64 bits, then cut to 32 ("4294967298" is 2, "2x" is 2, "x" is 0).
 */
function looseCount(ptr: usize, len: u32): i32 {
  let i: u32 = 0;
  while (i < len && (load<u8>(ptr + i) == 0x20 || <u32>load<u8>(ptr + i) - 9 < 5)) i++;
  const sign = i < len ? <i32>load<u8>(ptr + i) : 0;
  if (sign == 0x2b || sign == 0x2d) i++;
  const limit: u64 = sign == 0x2d ? <u64>1 << 63 : <u64>i64.MAX_VALUE;
  let value: u64 = 0;
  for (; i < len; i++) {
    const c = <i32>load<u8>(ptr + i);
    if (!isDigit(c)) break;
    const digit = <u64>(c - 0x30);
    value = value > (limit - digit) / 10 ? limit : value * 10 + digit;
  }
  return <i32>(sign == 0x2d ? 0 - value : value);
}

// ---- key specs ----

/** Collects the keys of all specs; false if one of them does not fit the line. */
function keysBySpecs(id: i32, argc: i32, argv: usize, withChannels: bool): bool {
  const specs = cmdKeySpecCount(id);
  for (let n = 0; n < specs; n++) {
    const spec = cmdKeySpec(id, n);
    const flags = load<u32>(spec);
    if (flags & KEYFLAG_NOT_KEY && !withChannels) continue;
    const begin = beginSearch(spec, argc, argv);
    if (begin == NO_KEYWORD) continue;
    if (begin == UNKNOWN_SEARCH) return false;
    if (!findKeys(spec, begin, argc, argv)) return false;
    if (runLast >= argc || runLast < runFirst || runFirst >= argc) return false;
    const count = (runLast - runFirst) / runStep + 1;
    if (!reserve(count)) return true;
    for (let i = 0; i < count; i++) setKey(keyCount++, runFirst + i * runStep, flags);
    if (flags & KEYFLAG_INCOMPLETE) return false;
  }
  return true;
}

const NO_KEYWORD: i32 = 0;
const UNKNOWN_SEARCH: i32 = -1;

/** Index where the spec's search ends and its keys begin, NO_KEYWORD or UNKNOWN_SEARCH. */
function beginSearch(spec: usize, argc: i32, argv: usize): i32 {
  const kind = load<u8>(spec, 4);
  const at = <i32>load<i16>(spec, 6);
  if (kind == 1) return at;
  if (kind != 2) return UNKNOWN_SEARCH;
  const keyword = load<u8>(spec, 5);
  // Redis: the last word is not looked at; a negative start counts from the end, and the search
  // then goes backwards (MIGRATE).
  if (at > 0) {
    for (let i = at; i < argc - 1; i++) {
      if (argIs(argv, i, keyword)) return i + 1;
    }
  } else {
    for (let i = argc + at; i > 1; i--) {
      if (argIs(argv, i, keyword)) return i + 1;
    }
  }
  return NO_KEYWORD;
}

// The run of keys findKeys found: first, last (inclusive, may be out of bounds) and step.
let runFirst: i32 = 0;
let runLast: i32 = 0;
let runStep: i32 = 1;

function findKeys(spec: usize, begin: i32, argc: i32, argv: usize): bool {
  const kind = load<u16>(spec, 8);
  const a = <i32>load<i16>(spec, 10);
  const b = <i32>load<i16>(spec, 12);
  const c = <i32>load<i16>(spec, 14);
  runFirst = begin;
  if (kind == 1) {
    runStep = b;
    if (a >= 0) runLast = begin + a;
    else if (c == 0) runLast = argc + a;
    else runLast = begin + (argc - begin) / c + a;
    return true;
  }
  if (kind != 2 || begin + a >= argc) return false;
  if (!parseCount(argPtr(argv, begin + a), argLen(argv, begin + a))) return false;
  runFirst = begin + b;
  runStep = c;
  // Redis: the product is cut to 32 bits, so 4294967297 counts as 1.
  runLast = runFirst + <i32>((countValue - 1) * <i64>runStep);
  return true;
}

// ---- procedures ----

function keysByProc(id: i32, argc: i32, argv: usize): void {
  switch (cmdGetKeysProc(id)) {
    case GETKEYS_COUNT:
      countKeys(id, argc, argv);
      break;
    case GETKEYS_SORT:
      sortKeys(argc, argv);
      break;
    case GETKEYS_SORT_RO:
      pushKey(1, KEYFLAG_RO | KEYFLAG_ACCESS);
      break;
    case GETKEYS_MIGRATE:
      migrateKeys(argc, argv);
      break;
    case GETKEYS_XREAD:
      xreadKeys(argc, argv);
      break;
    case GETKEYS_SET:
      setKeys(argc, argv);
      break;
    case GETKEYS_BITFIELD:
      bitfieldKeys(argc, argv);
      break;
    default:
      break;
  }
}

/** "count s n f": the number of keys is word n, they begin at f, and s (if not 0) is one more. */
function countKeys(id: i32, argc: i32, argv: usize): void {
  const storeIndex = cmdGetKeysParam(id, 0);
  const countIndex = cmdGetKeysParam(id, 1);
  const first = cmdGetKeysParam(id, 2);
  if (countIndex >= argc) return;
  const count = looseCount(argPtr(argv, countIndex), argLen(argv, countIndex));
  if (count < 1 || count > argc - first) return;
  if (!reserve(count + 1)) return;
  for (let i = 0; i < count; i++) setKey(keyCount++, first + i, 0);
  if (storeIndex > 0) setKey(keyCount++, storeIndex, 0);
}

/** Redis: the last STORE counts; the words after LIMIT, GET and BY are skipped. */
function sortKeys(argc: i32, argv: usize): void {
  pushKey(1, KEYFLAG_RO | KEYFLAG_ACCESS);
  let storeIndex = 0;
  for (let i = 2; i < argc; i++) {
    if (argIs(argv, i, KW_LIMIT)) i += 2;
    else if (argIs(argv, i, KW_GET) || argIs(argv, i, KW_BY)) i += 1;
    else if (i + 1 < argc && argIs(argv, i, KW_STORE)) storeIndex = i + 1;
  }
  if (storeIndex > 0) pushKey(storeIndex, KEYFLAG_OW | KEYFLAG_UPDATE);
}

/** Redis: KEYS means all words after it, provided the key argument proper is empty. */
function migrateKeys(argc: i32, argv: usize): void {
  const flags = KEYFLAG_RW | KEYFLAG_ACCESS | KEYFLAG_DELETE;
  for (let i = 6; i < argc; i++) {
    if (argIs(argv, i, KW_KEYS)) {
      if (argLen(argv, 3) > 0 || !reserve(argc - i)) return;
      for (let k = i + 1; k < argc; k++) setKey(keyCount++, k, flags);
      return;
    }
    if (argIs(argv, i, KW_AUTH)) i += 1;
    else if (argIs(argv, i, KW_AUTH2)) i += 2;
  }
  pushKey(3, flags);
}

/** Redis: options are skipped word by word; an unknown one ends the search. */
function xreadKeys(argc: i32, argv: usize): void {
  let i = 1;
  for (; i < argc; i++) {
    if (argIs(argv, i, KW_BLOCK) || argIs(argv, i, KW_COUNT)) i += 1;
    else if (argIs(argv, i, KW_GROUP)) i += 2;
    else if (!argIs(argv, i, KW_NOACK)) break;
  }
  if (i >= argc || !argIs(argv, i, KW_STREAMS)) return;
  const rest = argc - i - 1;
  if (rest == 0 || (rest & 1) != 0 || !reserve(rest >> 1)) return;
  for (let k = 0; k < rest >> 1; k++) setKey(keyCount++, i + 1 + k, 0);
}

/** Redis: SET reads its key only if GET is among the words after the value. */
function setKeys(argc: i32, argv: usize): void {
  let flags = KEYFLAG_OW | KEYFLAG_UPDATE;
  for (let i = 3; i < argc; i++) {
    if (argIs(argv, i, KW_GET)) flags = KEYFLAG_RW | KEYFLAG_ACCESS | KEYFLAG_UPDATE;
  }
  pushKey(1, flags);
}

/** Redis: BITFIELD only reads if all its operations are GET; junk counts as a write. */
function bitfieldKeys(argc: i32, argv: usize): void {
  let isReadOnly = true;
  for (let i = 2; i < argc; i++) {
    const rest = argc - i - 1;
    if (rest >= 2 && argIs(argv, i, KW_GET)) {
      i += 2;
    } else if (rest >= 3 && (argIs(argv, i, KW_SET) || argIs(argv, i, KW_INCRBY))) {
      isReadOnly = false;
      i += 3;
      break;
    } else if (rest >= 1 && argIs(argv, i, KW_OVERFLOW)) {
      i += 1;
    } else {
      isReadOnly = false;
      break;
    }
  }
  if (isReadOnly) pushKey(1, KEYFLAG_RO | KEYFLAG_ACCESS);
  else pushKey(1, KEYFLAG_RW | KEYFLAG_ACCESS | KEYFLAG_UPDATE);
}
