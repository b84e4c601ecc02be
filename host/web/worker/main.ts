// The worker that reads files.

import { analyse } from './analyse.js';
import { compare } from './compare.js';
import { exportFile } from './exports.js';
import { search } from './search.js';
import { serve } from './serve.js';
import { readValue } from './value.js';

serve({ analyse, search, value: readValue, compare, export: exportFile });
