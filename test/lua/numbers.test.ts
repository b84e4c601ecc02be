// Ways that are shorter than the general ones give the same.

import { expect, test } from 'vitest';
import { formatG, numberToText } from '../../host/lua/vm/number.js';
import { Prng } from '../support/prng.js';

test('numbers of few digits are printed as %.14g prints them', () => {
  const r = new Prng(1);
  for (let i = 0; i < 100_000; i++) {
    const digits = 1 + r.below(17);
    const scale = r.below(24) - 8;
    const n = Number(`${r.below(2) ? '-' : ''}${r.below(10 ** digits)}e${scale - digits}`);
    if (n !== 0) expect(numberToText(n)).toBe(formatG(n, 14, false));
  }
});
