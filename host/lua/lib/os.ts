// The os library: of it Redis (from 7.4 on) has os.clock alone.

import type { Machine } from '../vm/machine.js';
import { library } from './arguments.js';

/** `seconds` is a clock that only goes forward: what C's clock() is for timing a piece of code. */
export function addOs(m: Machine, seconds: () => number): void {
  library(m, 'os', { clock: () => seconds() });
}
