// Temporary files and folders that must not outlive the process, however it ends: by its second
// signal, or by a fault.

import fs from 'node:fs';

const paths = new Set<string>();

function removeAll(): void {
  for (const path of paths) fs.rmSync(path, { recursive: true, force: true });
}

/** It is removed when the process exits. */
export function removeOnExit(path: string): void {
  if (paths.size === 0) process.once('exit', removeAll);
  paths.add(path);
}

/** It has gone, or shall stay. */
export function forgetOnExit(path: string): void {
  paths.delete(path);
  if (paths.size === 0) process.off('exit', removeAll);
}
