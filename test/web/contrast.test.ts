// Names on the treemap's colours can be read, light and dark.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { luminance, textOn } from '../../host/web/parts/contrast.js';
import { ROOT } from '../support/servers.js';

test('contrast of names on the colours of types', () => {
  const sheet = readFileSync(join(ROOT, 'host/web/style/base.css'), 'utf8');
  const found = [...sheet.matchAll(/--type-(\w+): (#[0-9a-f]{6});/g)];
  expect(found.length).toBe(16);
  for (const [, type, colour] of found) {
    const pair = [luminance(colour as string), luminance(textOn(colour as string))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    expect([type, ratio >= 4.5]).toEqual([type, true]);
  }
});
