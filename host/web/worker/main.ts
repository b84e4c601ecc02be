// The worker that reads files.

import { analyse } from './analyse.js';
import { compare } from './compare.js';
import { exportFile } from './exports.js';
import { search } from './search.js';
import { serve } from './serve.js';
import { readValue, saveString } from './value.js';

serve({ analyse, search, value: readValue, saveString, compare, export: exportFile });
