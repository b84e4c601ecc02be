// The platform on Node.js: real clock, timers, randomness and process; files and sockets come from
// node-fs.ts and node-net.ts.

import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import { nodeFs } from './node-fs.js';
import { createNodeNet } from './node-net.js';
import type { Clock, Platform, ProcessInfo, TimerHandle } from './platform.js';

export interface NodePlatformOptions {
  /**
   * Told of an exception that a handler threw where no connection was left to close.
   * Default: a process warning.
   */
  onHandlerError?: (error: unknown) => void;
}

class NodeTimer implements TimerHandle {
  readonly #timer: NodeJS.Timeout;

  constructor(timer: NodeJS.Timeout) {
    this.#timer = timer;
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }

  unref(): TimerHandle {
    this.#timer.unref();
    return this;
  }
}

/** Date.now has whole milliseconds; the digits below come from the monotonic clock. */
function createNowUs(): () => number {
  let anchorUs = 0;
  let anchorMonoUs = 0;
  return () => {
    const wallMs = Date.now();
    const monoUs = performance.now() * 1000;
    const guess = Math.floor(anchorUs + (monoUs - anchorMonoUs));
    if (guess >= wallMs * 1000 && guess < (wallMs + 1) * 1000) return guess;
    anchorUs = wallMs * 1000; // first call, clock was set, or the two drifted apart
    anchorMonoUs = monoUs;
    return anchorUs;
  };
}

const clock: Clock = {
  nowMs: () => Date.now(),
  nowUs: createNowUs(),
  monotonicMs: () => performance.now(),
  setTimer: (ms, fn) => new NodeTimer(setTimeout(fn, ms)),
  setRepeating: (ms, fn) => new NodeTimer(setInterval(fn, ms)),
  block: (ms) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  },
  defer: (fn) => {
    setImmediate(fn);
  },
};

function machineName(): string {
  const names: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i686' };
  return names[os.arch()] ?? os.arch();
}

const nodeProcess: ProcessInfo = {
  pid: process.pid,
  argv: process.argv,
  env: process.env,
  os: `${os.type()} ${os.release()} ${machineName()}`,
  executable: process.execPath,
  totalMemoryBytes: os.totalmem(),
  runtimeVersion: process.versions.node,
  get stdoutIsTty() {
    return process.stdout.isTTY === true;
  },
  cwd: () => process.cwd(),
  chdir: (directory) => process.chdir(directory),
  rssBytes: () => process.memoryUsage.rss(),
  cpuUsage: () => {
    const { user, system } = process.cpuUsage();
    return { userUs: user, systemUs: system };
  },
  readStdin: () => fs.readFileSync(0, 'latin1'),
  writeStdout: (text) => {
    process.stdout.write(text);
  },
  writeStderr: (text) => {
    process.stderr.write(text);
  },
  onSignal: (signal, fn) => {
    process.on(signal, fn);
    return () => process.off(signal, fn);
  },
  exit: (code) => process.exit(code),
};

export function createNodePlatform(options: NodePlatformOptions = {}): Platform {
  const report =
    options.onHandlerError ??
    ((error: unknown) => process.emitWarning(error instanceof Error ? error : String(error)));
  return {
    clock,
    random: { bytes: (n) => randomBytes(n) },
    net: createNodeNet(report),
    fs: nodeFs,
    process: nodeProcess,
  };
}
