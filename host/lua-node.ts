// The public entry `respite/lua` on Node.js: the portable one, with core.wasm from its file.

import { coreModule } from './server/index.js';
import { setCoreModule } from './storage/open.js';

setCoreModule(async () => coreModule());

export * from './lua/public.js';
