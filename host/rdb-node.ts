// The public entry `respite/rdb` on Node.js: the portable one, and sources may be paths, file URLs
// and addresses of live servers (`redis://…`).

import { fileURLToPath } from 'node:url';
import { openRdbFile, plainReason, unreadable } from './persistence/rdb-source.js';
import { setOpenByName } from './rdb/source.js';

setOpenByName(async (name, signal) => {
  if (/^(redis|rediss|unix):\/\//i.test(name)) {
    const { createNodePlatform } = await import('./platform/node.js');
    const { openSnapshot } = await import('./replication/snapshot.js');
    return openSnapshot(createNodePlatform(), { master: name }, signal);
  }
  return openRdbFile(/^file:\/\//i.test(name) ? pathOf(name) : name, signal);
});

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw unreadable(url, plainReason(error), error);
  }
}

export * from './rdb/index.js';
