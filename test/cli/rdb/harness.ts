// Runs `respite rdb …` inside the test: no process, output and exit code as values.

import fs from 'node:fs';
import { type ProgramOptions, runProgram } from '../../../host/cli/program.js';
import type { RdbIo } from '../../../host/cli/rdb/io.js';
import { createNodePlatform } from '../../../host/platform/node.js';

export interface Ran {
  code: number;
  /** Standard output as bytes and as Latin-1 text. */
  bytes: Buffer;
  out: string;
  /** Standard error. */
  err: string;
}

export interface RunIo extends Partial<RdbIo> {
  /** A file that stands for standard input. */
  stdinFile?: string;
}

/** `runRdb(['info', 'dump.rdb'])`. */
export async function runRdb(args: readonly string[], options: RunIo = {}): Promise<Ran> {
  const parts: Buffer[] = [];
  let err = '';
  const real = createNodePlatform();
  const platform = {
    ...real,
    process: {
      ...real.process,
      writeStdout: (text: string) => void parts.push(Buffer.from(text)),
      writeStderr: (text: string) => {
        err += text;
      },
    },
  };
  const stdin = options.stdinFile === undefined ? 0 : fs.openSync(options.stdinFile, 'r');
  const io: RdbIo = {
    platform,
    write: (bytes) => void parts.push(Buffer.from(bytes)),
    writeErr: platform.process.writeStderr,
    outIsTerminal: false,
    errIsTerminal: false,
    columns: 80,
    stdin,
    ...options,
  };
  const program: ProgramOptions = { platform, io };
  const code = await runProgram(['rdb', ...args], program);
  const bytes = Buffer.concat(parts);
  return { code, bytes, out: bytes.toString('latin1'), err };
}
