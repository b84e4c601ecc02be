/** Names clients give themselves: CLIENT SETNAME, HELLO SETNAME, CLIENT SETINFO. */
import { free } from '../base/alloc';
import { blobNew } from '../base/blob';
import { Client } from './client';

/** Only printable ASCII without space, so that CLIENT LIST stays one line of words. */
export function isValidName(ptr: usize, len: u32): bool {
  for (let i: u32 = 0; i < len; i++) {
    const c: u32 = load<u8>(ptr + i);
    if (c < 33 || c > 126) return false;
  }
  return true;
}

/** Sets or (length 0) drops the name; false when it is not valid or memory ran out. */
export function clientSetName(c: Client, ptr: usize, len: u32): bool {
  if (!isValidName(ptr, len)) return false;
  const fresh = len == 0 ? <usize>0 : blobNew(ptr, len);
  if (len != 0 && fresh == 0) return false;
  free(c.name);
  c.name = <u32>fresh;
  return true;
}

/** Sets lib-name (`version` false) or lib-ver; the same rules as for names. */
export function clientSetLib(c: Client, version: bool, ptr: usize, len: u32): bool {
  if (!isValidName(ptr, len)) return false;
  const fresh = len == 0 ? <usize>0 : blobNew(ptr, len);
  if (len != 0 && fresh == 0) return false;
  if (version) {
    free(c.libVer);
    c.libVer = <u32>fresh;
  } else {
    free(c.libName);
    c.libName = <u32>fresh;
  }
  return true;
}
