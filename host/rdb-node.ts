// The public entry `respite/rdb` on Node.js: the portable one, and sources may be paths, file URLs
// and addresses of live servers (`redis://…`).

import { fileURLToPath } from 'node:url';
import { openRdbFile } from './persistence/rdb-source.js';
import { setOpenByName } from './rdb/source.js';

setOpenByName(async (name) => {
  if (/^(redis|rediss|unix):\/\//i.test(name)) {
    const { createNodePlatform } = await import('./platform/node.js');
    const { openSnapshot } = await import('./replication/snapshot.js');
    return openSnapshot(createNodePlatform(), { master: name });
  }
  return openRdbFile(/^file:\/\//i.test(name) ? fileURLToPath(name) : name);
});

export * from './rdb/index.js';
