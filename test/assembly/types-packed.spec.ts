// The order of hash triples and the fields of objects, close to the bytes. Allocating: tested in
// test/unit/types, with failing allocations.

import { exIsOrdered, exOrder } from '../../assembly/types/hash-packed';
import {
  holder,
  objChange,
  objEncoding,
  objKind,
  objMake,
  objType,
  objValue,
} from '../../assembly/types/holder';
import { ENC_HT, ENC_LISTPACK, TYPE_HASH } from '../../assembly/types/object';
import { lpValidate } from '../../assembly/encoding/listpack';

// a 1 (expiry 0), b 2 (9), cc 3 (5), d 4 (9)
const triples = memory.data<u8>([
  36, 0, 0, 0, 12, 0,
  0x81, 0x61, 2, 1, 1, 0, 1,
  0x81, 0x62, 2, 2, 1, 9, 1,
  0x82, 0x63, 0x63, 3, 3, 1, 5, 1,
  0x81, 0x64, 2, 4, 1, 9, 1, 0xff,
]);
const ordered = memory.data<u8>([
  36, 0, 0, 0, 12, 0,
  0x82, 0x63, 0x63, 3, 3, 1, 5, 1,
  0x81, 0x62, 2, 2, 1, 9, 1,
  0x81, 0x64, 2, 4, 1, 9, 1,
  0x81, 0x61, 2, 1, 1, 0, 1, 0xff,
]);

describe('triples', () => {
  test('are put in order, equals as they came, those without expiry last', () => {
    expect(lpValidate(triples, 36)).toBe(true);
    expect(exIsOrdered(triples)).toBe(false);
    exOrder(triples);
    expect(memory.compare(triples, ordered, 36)).toBe(0);
    expect(exIsOrdered(triples)).toBe(true);
    exOrder(triples);
    expect(memory.compare(triples, ordered, 36)).toBe(0);
  });
});

describe('an object', () => {
  test('keeps type, encoding and value', () => {
    const obj = holder(1);
    objMake(obj, TYPE_HASH, ENC_LISTPACK, 0xf0000010);
    expect(objType(obj)).toBe(TYPE_HASH);
    expect(objEncoding(obj)).toBe(ENC_LISTPACK);
    expect(objKind(obj)).toBe(TYPE_HASH | (ENC_LISTPACK << 4));
    expect(objValue(obj)).toBe(0xf0000010);
    objChange(obj, ENC_HT, 32);
    expect(objType(obj)).toBe(TYPE_HASH);
    expect(objEncoding(obj)).toBe(ENC_HT);
    expect(objValue(obj)).toBe(32);
    expect(objValue(holder(2))).not.toBe(32);
  });
});
