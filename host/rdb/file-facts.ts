// What the file says of itself: version, auxiliary fields, databases, functions, checksum.

import { latin1 } from '../core/inspector.js';
import type { PlainRecord } from './records.js';

/** Numbers of REC_* in assembly/rdb/opcodes.ts. */
const REC_EOF = 1;
const REC_AUX = 2;
const REC_SELECTDB = 3;
const REC_RESIZEDB = 4;
const REC_FUNCTION = 6;
const REC_FUNCTION_PRE_GA = 7;
const REC_MODULE_AUX = 8;

const VERDICTS = [undefined, 'ok', 'absent', 'disabled', 'unchecked'] as const;

/** Facts of the file. Complete once it was read to its end; before that, what came so far. */
export interface RdbFile {
  version: number;
  /** Valkey numbers its format itself, from 80 on. */
  isValkey: boolean;
  /** Auxiliary fields by name, as text (redis-ver, ctime, used-mem, repl-id …). */
  aux: Record<string, string>;
  /** Keys announced by database, and how many of them expire. */
  databases: { db: number; keys: number; expires: number }[];
  /** Sources of function libraries. */
  functions: string[];
  /** How often module data without a key occurred. */
  moduleAux: number;
  /** What the checksum says; undefined until the end was reached. */
  checksum: Exclude<(typeof VERDICTS)[number], undefined> | undefined;
}

export function emptyFile(): RdbFile {
  return {
    ...{ version: 0, isValkey: false, aux: {}, databases: [], functions: [] },
    ...{ moduleAux: 0, checksum: undefined },
  };
}

/** Adds what one record says. */
export function addToFile(file: RdbFile, record: PlainRecord): void {
  switch (record.rec) {
    case REC_AUX:
      file.aux[latin1(record.a)] = latin1(record.b);
      break;
    case REC_SELECTDB:
      file.databases.push({ db: record.db, keys: 0, expires: 0 });
      break;
    case REC_RESIZEDB: {
      const database = file.databases.at(-1);
      if (database === undefined) break;
      database.keys = Number(record.n[0]);
      database.expires = Number(record.n[1]);
      break;
    }
    case REC_FUNCTION:
    case REC_FUNCTION_PRE_GA:
      file.functions.push(latin1(record.rec === REC_FUNCTION ? record.a : record.b));
      break;
    case REC_MODULE_AUX:
      file.moduleAux++;
      break;
    case REC_EOF:
      file.checksum = VERDICTS[record.verdict];
      break;
  }
}
