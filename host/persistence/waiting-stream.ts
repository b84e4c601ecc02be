// Descriptors whose bytes may have to be waited for: pipes, sockets, terminals. The event loop
// waits for them, because a thread that stands in read() holds up the process that wants to exit.

import fs from 'node:fs';
import type { Readable } from 'node:stream';

/** A stream that reads the descriptor, and closes it; undefined where there is no waiting. */
export async function waitingStream(fd: number): Promise<Readable | undefined> {
  const stat = fs.fstatSync(fd);
  if (stat.isFIFO() || stat.isSocket()) {
    const { Socket } = await import('node:net');
    return new Socket({ fd, readable: true, writable: false });
  }
  if (!stat.isCharacterDevice()) return undefined;
  const { isatty, ReadStream } = await import('node:tty');
  return isatty(fd) ? new ReadStream(fd) : undefined;
}

/** Opens a named pipe that nobody may write to yet. */
export async function openWithoutWaiting(name: string): Promise<number> {
  // elsewhere a pipe that has no writer yet would be at its end
  if (process.platform === 'linux') {
    return fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  }
  return new Promise((resolve, reject) => {
    fs.open(name, 'r', (error, fd) => (error ? reject(error) : resolve(fd)));
  });
}
