// The generator's own view of the table, for tests.

import path from 'node:path';
import { CATEGORIES, FLAGS, KEY_FLAGS, loadSpec, mask } from '../../../build/gen-commands/spec.mjs';

const SPEC = path.resolve(import.meta.dirname, '../../../assembly/commands/spec');

export const loadSpecForTests = (all) => loadSpec(SPEC, { all });

export const ACL = {
  flagMask: (words) => mask(words, FLAGS),
  categoryMask: (words) => mask(words, CATEGORIES),
  keyFlagWords: (bits) => KEY_FLAGS.filter((_, i) => (bits >>> i) & 1),
  hasFlag: (bits, word) => ((bits >>> FLAGS.indexOf(word)) & 1) === 1,
};
