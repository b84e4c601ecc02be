// What commands of `respite rdb` read from and write to: the process' own, or a test's.

import fs from 'node:fs';
import { createNodePlatform } from '../../platform/node.js';
import type { Platform } from '../../platform/platform.js';

export interface RdbIo {
  readonly platform: Platform;
  /** Takes bytes, which may be overwritten as soon as the promise settles (at once without). */
  write(bytes: Uint8Array): void | Promise<void>;
  writeErr(text: string): void;
  /** Whether somebody looks at standard output, at standard error. */
  readonly outIsTerminal: boolean;
  readonly errIsTerminal: boolean;
  /** Columns of that terminal, or of what stands for it. */
  readonly columns: number;
  /** The descriptor of standard input. */
  readonly stdin: number;
}

const RETRY_MS = 2;

/** All of `bytes` to a descriptor; a pipe that is full and does not block is waited for. */
export function writeDescriptor(fd: number, bytes: Uint8Array, from = 0): void | Promise<void> {
  let at = from;
  while (at < bytes.length) {
    try {
      at += fs.writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      return new Promise<void>((resolve) => setTimeout(resolve, RETRY_MS)).then(() =>
        writeDescriptor(fd, bytes, at),
      );
    }
  }
}

export function processIo(platform: Platform = createNodePlatform()): RdbIo {
  return {
    platform,
    write: (bytes) => writeDescriptor(1, bytes),
    writeErr: (text) => platform.process.writeStderr(text),
    outIsTerminal: process.stdout.isTTY === true,
    errIsTerminal: process.stderr.isTTY === true,
    columns: process.stderr.columns ?? 80,
    stdin: 0,
  };
}
