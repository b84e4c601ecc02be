// `respite rdb aof`: the data as an append-only file.

import fs from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { isRespiteError, RespiteError } from '../../errors.js';
import { aofManifest, type CommandOptions } from '../../rdb/export-commands.js';
import { addCommandOptions, commandOptions, pumpCommands } from './commands.js';
import { type Job, perform, sourceCommand, usage } from './common.js';
import { openOutput } from './output.js';

/** Redis 7: `appendfilename`; the parts and the manifest are named after it. */
const FILE_NAME = 'appendonly.aof';

/** Writes the parts of a multi-part file into a folder that Redis takes as its appenddirname. */
async function writeFolder(job: Job, dir: string, options: CommandOptions): Promise<void> {
  const base = `${FILE_NAME}.1.base.aof`;
  const manifest = path.join(dir, `${FILE_NAME}.manifest`);
  try {
    fs.mkdirSync(dir, { recursive: true });
  } catch (error) {
    const text = `Cannot make ${dir}: ${(error as Error).message}`;
    throw new RespiteError('ERR_RESPITE_IO', text, { cause: error, details: { path: dir } });
  }
  if (fs.existsSync(manifest)) {
    const text = `There is an append-only file already: ${manifest}`;
    throw new RespiteError('ERR_RESPITE_IO', text, { details: { path: manifest } });
  }
  const out = openOutput(job.io, path.join(dir, base));
  let failure: unknown;
  try {
    await pumpCommands(job, options, (bytes) => out.write(bytes));
  } catch (error) {
    // what came before the damage is there to be used
    if (!isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) {
      out.discard();
      throw error;
    }
    failure = error;
  }
  await out.commit();
  const list = openOutput(job.io, manifest);
  await list.write(aofManifest(base));
  await list.commit();
  if (failure !== undefined) throw failure;
}

export function addAof(rdb: Command): void {
  const command = sourceCommand(rdb, {
    name: 'aof',
    summary: 'the data as an append-only file that redis-server loads',
    examples: [
      ['aof dump.rdb -o appendonly.aof', 'one file, for every version'],
      ['aof dump.rdb --dir /data/appendonlydir', 'base file and manifest, as 7.0 and later keep'],
      ['aof --target 6.2 dump.rdb -o appendonly.aof', 'nothing that 6.2 does not know'],
    ],
  }).option('--dir <folder>', 'a multi-part file: its base and its manifest in this folder');
  addCommandOptions(command).action(
    perform(async (job) => {
      if (job.options.dir !== undefined && job.options.output !== undefined) {
        throw usage('--dir and -o cannot be together: the names of the parts are given');
      }
      const options: CommandOptions = { ...commandOptions(job), form: 'aof' };
      const dir = job.options.dir as string | undefined;
      if (dir === undefined) await pumpCommands(job, options, (bytes) => job.write(bytes));
      else await writeFolder(job, dir, options);
    }),
  );
}
