// Bytes compared as bytes: `toEqual` looks at each by itself, which takes a thousand times as long.
// Here it only tells what differs.

import { expect } from 'vitest';

export function expectSame(found: Uint8Array, wanted: Uint8Array): void {
  if (Buffer.compare(found, wanted) !== 0) expect(found).toEqual(wanted);
}

export function expectSameAll(found: readonly Uint8Array[], wanted: readonly Uint8Array[]): void {
  const isSame =
    found.length === wanted.length &&
    found.every((one, i) => Buffer.compare(one, wanted[i]!) === 0);
  if (!isSame) expect(found).toEqual(wanted);
}
