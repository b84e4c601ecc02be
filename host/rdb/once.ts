// Results with sums beside what is iterated: a second iteration would count everything again.

import { RespiteError } from '../errors.js';

export class Once {
  #isBegun = false;

  /** Called where an iteration begins. Throws ERR_RESPITE_CLOSED the second time. */
  begin(): void {
    if (this.#isBegun) {
      const text = 'This result was iterated before, and gives its contents once: ask for it again';
      throw new RespiteError('ERR_RESPITE_CLOSED', text);
    }
    this.#isBegun = true;
  }
}
