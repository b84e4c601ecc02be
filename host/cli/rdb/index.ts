// `respite rdb`: every command on files, and on servers that it only reads.

import type { Command } from 'commander';
import { addAof } from './aof.js';
import { addCheck } from './check.js';
import { type RdbContext, setContext } from './common.js';
import { addConvert, addFilter } from './convert.js';
import { addCsv } from './csv.js';
import { addDiff } from './diff.js';
import { addInfo } from './info.js';
import type { RdbIo } from './io.js';
import { addJson } from './json.js';
import { addKeys } from './keys.js';
import { addMemory } from './memory.js';
import { addMerge } from './merge.js';
import { addPrefixes } from './prefixes.js';
import { addResp } from './resp.js';
import { addSplit } from './split.js';
import { addStats } from './stats.js';
import { addTop } from './top.js';

/** Adds `rdb` and its commands; the context will hold the exit code. */
export function addRdb(program: Command, io?: RdbIo): RdbContext {
  const rdb = program
    .command('rdb')
    .description('read, analyse, convert and export RDB files and the data of live servers')
    .usage('<command> <file | - | redis://…> [options]');
  const context = setContext(rdb, io);
  addInfo(rdb);
  addCheck(rdb);
  addStats(rdb);
  addMemory(rdb);
  addTop(rdb);
  addPrefixes(rdb);
  addDiff(rdb);
  addKeys(rdb);
  addJson(rdb);
  addCsv(rdb);
  addResp(rdb);
  addAof(rdb);
  addConvert(rdb);
  addFilter(rdb);
  addSplit(rdb);
  addMerge(rdb);
  return context;
}
