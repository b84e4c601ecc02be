/**
 * Who may come in: the password of the default user (requirepass). Users and rules are to follow;
 * until then `default` is the only user and may do everything.
 */
import { free } from '../base/alloc';
import { blobLen, blobNew, blobPtr } from '../base/blob';
import { equalsLiteral } from '../base/literal';

let password: usize = 0;

/** Sets the password of the default user; length 0 = none is needed. False: out of memory. */
export function accessSetPassword(ptr: usize, len: u32): bool {
  const fresh = len == 0 ? <usize>0 : blobNew(ptr, len);
  if (len != 0 && fresh == 0) return false;
  free(password);
  password = fresh;
  return true;
}

/** Anyone may use the default user. */
export function accessIsOpen(): bool {
  return password == 0;
}

/** Compares in time that does not depend on where the first difference is. */
function isPassword(ptr: usize, len: u32): bool {
  const want = blobLen(password);
  let diff: u32 = want ^ len;
  for (let i: u32 = 0; i < len; i++) {
    const expected: u32 = want == 0 ? 0 : load<u8>(blobPtr(password) + (i % want));
    diff |= expected ^ load<u8>(ptr + i);
  }
  return diff == 0;
}

/** Whether this user and password are right. */
export function accessCheck(user: usize, userLen: u32, pass: usize, passLen: u32): bool {
  if (!equalsLiteral(user, userLen, 'default')) return false;
  return password == 0 || isPassword(pass, passLen);
}
