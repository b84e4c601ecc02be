/*
 * Hash templates (Redis 8.10, RDB 15): field names written once, hashes as values alone. The file
 * declares all templates before the keys (opcode 242); types 30 and 32 refer to them by id;
 * types 29 and 31, which DUMP writes, carry the names themselves. The reader makes ordinary FIELD
 * records of all four. Known from public descriptions only (RDB.md marks them second-hand).
 *
 *   242   len id, len n, n x name
 *   29    len 0, listpack of names | len 1, len n, n x name; then listpack [id, value ...]
 *   30    listpack [id, value ...]
 *   31    names as in 29; then n x value
 *   32    len id, n x value
 *
 * A template is one block that grows as names arrive; the registry is an array of them sorted by
 * id (they come in ascending order, so inserting is appending).
 *
 *   Template | id u64 | count u32 | used | cap | (len u32, name) * |
 */
import { alloc, free, realloc } from '../base/alloc';
import {
  RdbReader, Slot, commit, fail, failAt, inputOffset, readString, readStringAlways,
  passString, unitLength, unitStop,
} from './input';
import { lenValue } from './length';
import {
  BLOB_LISTPACK, ERR_MEMORY, ERR_TEMPLATE, ERR_TEMPLATE_DUPLICATE, ERR_TEMPLATE_UNKNOWN,
  REC_FIELD, REC_HASH_TEMPLATE, REC_KEY, REC_VALUE_END, TYPE_HASH_TMPL_ARRAY,
  TYPE_HASH_TMPL_ARRAY_REF, TYPE_HASH_TMPL_LP, TYPE_HASH_TMPL_LP_REF,
} from './opcodes';
import { BlobWalk, WALK_SIZE, walkNext, walkOpen } from './values';

@unmanaged
class Template {
  id: u64;
  count: u32;
  /** Bytes of names behind this head, and room for them. */
  used: u32;
  cap: u32;
  pad: u32;
}

@unmanaged
class Registry {
  /** Array of Template addresses, ascending by id. */
  list: usize;
  count: u32;
  cap: u32;
  /** Names that a value of type 29 or 31 carries itself. */
  own: usize;
  /** The values of a listpack form, and where the names have got to. */
  walk: BlobWalk;
  name: usize;
  nameEnd: usize;
  // a BlobWalk follows
}

// @ts-ignore: decorator
@inline
const REGISTRY_SIZE: usize = ((offsetof<Registry>() + 7) & ~7) + WALK_SIZE;

/** More templates than this are refused (they are schemas, not data). */
const TEMPLATES_MAX: u32 = 1 << 18;
const TEMPLATE_CAP_MIN: u32 = 64;

function registry(r: RdbReader): Registry | null {
  if (!r.templates) {
    const block = alloc(REGISTRY_SIZE);
    if (!block) return null;
    memory.fill(block, 0, REGISTRY_SIZE);
    r.templates = block;
    const g = changetype<Registry>(block);
    g.walk = changetype<BlobWalk>(block + ((offsetof<Registry>() + 7) & ~7));
  }
  return changetype<Registry>(r.templates);
}

/** Give back all templates of a reader. */
export function templatesFree(r: RdbReader): void {
  free(r.templateAt);
  r.templateAt = 0;
  if (!r.templates) return;
  const g = changetype<Registry>(r.templates);
  for (let i: u32 = 0; i < g.count; i++) free(load<usize>(g.list + (<usize>i << alignof<usize>())));
  free(g.list);
  free(g.own);
  free(r.templates);
  r.templates = 0;
}

/** Index of the first template whose id is not below `id`. */
function lowerBound(g: Registry, id: u64): u32 {
  let low: u32 = 0;
  let high = g.count;
  while (low < high) {
    const mid = (low + high) >> 1;
    const t = changetype<Template>(load<usize>(g.list + (<usize>mid << alignof<usize>())));
    if (t.id < id) low = mid + 1;
    else high = mid;
  }
  return low;
}

function findTemplate(r: RdbReader, id: u64): usize {
  if (!r.templates) return 0;
  const g = changetype<Registry>(r.templates);
  const at = lowerBound(g, id);
  if (at == g.count) return 0;
  const t = load<usize>(g.list + (<usize>at << alignof<usize>()));
  return changetype<Template>(t).id == id ? t : 0;
}

/** Put a finished template in its place. False when memory is short. */
function register(g: Registry, template: usize): bool {
  if (g.count == g.cap) {
    const cap = max<u32>(g.cap * 2, 16);
    const list = realloc(g.list, <usize>cap << alignof<usize>());
    if (!list) return false;
    g.list = list;
    g.cap = cap;
  }
  const at = lowerBound(g, changetype<Template>(template).id);
  const slot = g.list + (<usize>at << alignof<usize>());
  memory.copy(slot + sizeof<usize>(), slot, <usize>(g.count - at) << alignof<usize>());
  store<usize>(slot, template);
  g.count++;
  return true;
}

/** Begin an empty template. False when memory is short. */
function begin(r: RdbReader, id: u64): bool {
  free(r.templateAt);
  const t = alloc(offsetof<Template>() + TEMPLATE_CAP_MIN);
  r.templateAt = t;
  if (!t) return false;
  const template = changetype<Template>(t);
  template.id = id;
  template.count = 0;
  template.used = 0;
  template.cap = TEMPLATE_CAP_MIN;
  return true;
}

/** Append a name to the template in the making. False when memory is short. */
function append(r: RdbReader, ptr: usize, len: usize): bool {
  let t = changetype<Template>(r.templateAt);
  const want = <u64>t.used + len + 4;
  if (want > <u64>t.cap) {
    const cap = max<u64>(want, <u64>t.cap * 2);
    if (cap > 0xf0000000) return false;
    const block = realloc(r.templateAt, offsetof<Template>() + <usize>cap);
    if (!block) return false;
    r.templateAt = block;
    t = changetype<Template>(block);
    t.cap = <u32>cap;
  }
  const at = r.templateAt + offsetof<Template>() + t.used;
  store<u32>(at, <u32>len);
  memory.copy(at + 4, ptr, len);
  t.used = <u32>want;
  t.count++;
  return true;
}

// ---- opcode 242

/** Head of the opcode, whose byte is at r.p. 1 when done. */
export function templateHead(r: RdbReader): i32 {
  let p = unitLength(r, r.p + 1);
  if (!p) return unitStop;
  const id = lenValue;
  p = unitLength(r, p);
  if (!p) return unitStop;
  const g = registry(r);
  if (g == null) return fail(r, ERR_MEMORY);
  if (findTemplate(r, id)) return failAt(r, ERR_TEMPLATE_DUPLICATE, inputOffset(r), id);
  if (g.count >= TEMPLATES_MAX) return failAt(r, ERR_TEMPLATE, inputOffset(r), id);
  if (!begin(r, id)) return fail(r, ERR_MEMORY);
  r.left = lenValue;
  commit(r, p);
  return 1;
}

/** Its names. The record HASH_TEMPLATE when done. */
export function templateNames(r: RdbReader): i32 {
  const done = readNames(r);
  if (done <= 0) return done;
  const t = changetype<Template>(r.templateAt);
  if (!register(changetype<Registry>(r.templates), r.templateAt)) return fail(r, ERR_MEMORY);
  r.templateAt = 0;
  r.n0 = t.id;
  r.count = t.count;
  return REC_HASH_TEMPLATE;
}

/** Append `r.left` names from the input. 1 when done. */
function readNames(r: RdbReader): i32 {
  for (; r.left; r.left--) {
    const done = readStringAlways(r, r.b);
    if (done <= 0) return done;
    if (!append(r, r.b.ptr, r.b.len)) return fail(r, ERR_MEMORY);
  }
  return 1;
}

// ---- values of types 29-32

/** What `r.part` means while such a value is read. */
const PART_NAMES: u32 = 1;
const PART_BLOB: u32 = 2;
const PART_VALUES: u32 = 3;
const PART_WALK: u32 = 4;
const PART_END: u32 = 5;

/** Is this one of the four? */
export function isTemplateType(type: u32): bool {
  return type >= TYPE_HASH_TMPL_LP && type <= TYPE_HASH_TMPL_ARRAY_REF;
}

/** Unit after the key: what there is of a head. REC_KEY when done. */
export function templateValueHead(r: RdbReader): i32 {
  const g = registry(r);
  if (g == null) return fail(r, ERR_MEMORY);
  r.count = u64.MAX_VALUE;
  if (r.type == TYPE_HASH_TMPL_LP_REF) {
    r.part = PART_BLOB;
    return REC_KEY;
  }
  let p = unitLength(r, r.p);
  if (!p) return unitStop;
  if (r.type == TYPE_HASH_TMPL_ARRAY_REF) {
    const t = findTemplate(r, lenValue);
    if (!t) return failAt(r, ERR_TEMPLATE_UNKNOWN, inputOffset(r), lenValue);
    r.part = PART_VALUES;
    useNames(r, g, t);
  } else {
    const form = lenValue;
    if (form > 1) return failAt(r, ERR_TEMPLATE, inputOffset(r), form);
    r.sub = form;
    if (form == 1) {
      p = unitLength(r, p);
      if (!p) return unitStop;
      r.left = lenValue;
    }
    if (!begin(r, 0)) return fail(r, ERR_MEMORY);
    r.part = PART_NAMES;
  }
  commit(r, p);
  return REC_KEY;
}

/** Names for the values to come are those of `template`. */
function useNames(r: RdbReader, g: Registry, template: usize): void {
  const t = changetype<Template>(template);
  g.name = template + offsetof<Template>();
  g.nameEnd = g.name + t.used;
  r.left = t.count;
  r.count = t.count;
}

function takeName(g: Registry, s: Slot): void {
  s.len = load<u32>(g.name);
  s.ptr = g.name + 4;
  g.name += s.len + 4;
}

/** The value's next record: FIELD or VALUE_END. */
export function templateValue(r: RdbReader): i32 {
  const g = changetype<Registry>(r.templates);
  if (r.part == PART_NAMES) {
    const done = r.sub ? readNames(r) : readNamesBlob(r, g);
    if (done <= 0) return done;
    free(g.own);
    g.own = r.templateAt;
    r.templateAt = 0;
    useNames(r, g, g.own);
    r.part = r.type == TYPE_HASH_TMPL_ARRAY ? PART_VALUES : PART_BLOB;
  }
  if (r.part == PART_BLOB) {
    const done = openBlob(r, g);
    if (done <= 0) return done;
  }
  if (r.part == PART_END) return REC_VALUE_END;
  r.fieldExpireMs = -1;
  if (r.part == PART_WALK) return walkValue(r, g);
  if (!r.left) return REC_VALUE_END;
  const done = readString(r, r.b);
  if (done <= 0) return done;
  takeName(g, r.a);
  r.left--;
  return REC_FIELD;
}

function readNamesBlob(r: RdbReader, g: Registry): i32 {
  const done = readStringAlways(r, r.b);
  if (done <= 0) return done;
  const w = g.walk;
  let step = walkOpen(w, BLOB_LISTPACK, r.b.ptr, r.b.len) ? walkNext(w) : -1;
  for (; step > 0; step = walkNext(w)) {
    if (!append(r, w.ptr, w.len)) return fail(r, ERR_MEMORY);
  }
  return step < 0 ? failAt(r, ERR_TEMPLATE, r.strOffset, 0) : 1;
}

/** The listpack of values: find the names and step over the id. */
function openBlob(r: RdbReader, g: Registry): i32 {
  const done = r.mute ? passString(r, r.b) : readStringAlways(r, r.b);
  if (done <= 0) return done;
  if (r.mute) {
    r.part = PART_END;
    return 1;
  }
  const w = g.walk;
  if (!walkOpen(w, BLOB_LISTPACK, r.b.ptr, r.b.len) || walkNext(w) != 1) {
    return failAt(r, ERR_TEMPLATE, r.strOffset, 0);
  }
  if (r.type == TYPE_HASH_TMPL_LP_REF) {
    const t = w.isInt ? findTemplate(r, w.int) : 0;
    if (!t) return failAt(r, ERR_TEMPLATE_UNKNOWN, r.strOffset, w.isInt ? w.int : 0);
    useNames(r, g, t);
  }
  r.part = PART_WALK;
  return 1;
}

function walkValue(r: RdbReader, g: Registry): i32 {
  const w = g.walk;
  const step = walkNext(w);
  if (step < 0 || (step > 0) != (r.left > 0)) {
    return failAt(r, ERR_TEMPLATE, r.strOffset, 0);
  }
  if (step == 0) return REC_VALUE_END;
  takeName(g, r.a);
  r.b.ptr = w.ptr;
  r.b.len = w.len;
  r.left--;
  return REC_FIELD;
}
