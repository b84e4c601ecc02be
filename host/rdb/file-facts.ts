// What the file says of itself: version, auxiliary fields, databases, functions, checksum.

import { nameText } from '../core/name-regex.js';
import { type PlainRecord, plainRecord, R_DATABASE, R_FILE, type RawRecord } from './records.js';

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
  /**
   * Auxiliary fields by name (redis-ver, ctime, used-mem, repl-id …), as text: UTF-8, or, what is
   * none, a character for each byte.
   */
  aux: Record<string, string>;
  /**
   * Keys by database, and how many of them expire: as the file announces them, and as counted once
   * that database was read.
   */
  databases: { db: number; keys: number; expires: number }[];
  /** Sources of function libraries, as text likewise. */
  functions: string[];
  /** How often module data without a key occurred. */
  moduleAux: number;
  /** What the checksum says; undefined until the end was reached. */
  checksum: Exclude<(typeof VERDICTS)[number], undefined> | undefined;
}

export function emptyFile(): RdbFile {
  return {
    // no prototype: a field may be called __proto__
    aux: Object.create(null) as Record<string, string>,
    ...{ version: 0, isValkey: false, databases: [], functions: [] },
    ...{ moduleAux: 0, checksum: undefined },
  };
}

/** Adds what a record says; false: it is not about the file. */
export function addToFile(file: RdbFile, raw: RawRecord): boolean {
  if (raw.kind === R_DATABASE) addDatabase(file, raw);
  else if (raw.kind === R_FILE) addPlain(file, plainRecord(raw));
  else return false;
  return true;
}

/** Databases that were counted; a file may select one several times. */
const counted = new WeakMap<RdbFile, Set<number>>();

function addDatabase(file: RdbFile, { view }: RawRecord): void {
  const db = view.getUint32(8, true);
  const database = databaseOf(file, db);
  const known = counted.get(file) ?? new Set();
  counted.set(file, known);
  if (!known.has(db)) [database.keys, database.expires] = [0, 0];
  known.add(db);
  database.keys += view.getFloat64(16, true);
  database.expires += view.getFloat64(24, true);
}

function databaseOf(file: RdbFile, db: number): RdbFile['databases'][number] {
  const known = file.databases.find((one) => one.db === db);
  if (known !== undefined) return known;
  const database = { db, keys: 0, expires: 0 };
  file.databases.push(database);
  return database;
}

function addPlain(file: RdbFile, record: PlainRecord): void {
  switch (record.rec) {
    case REC_AUX:
      file.aux[nameText(record.a)] = nameText(record.b);
      break;
    case REC_SELECTDB:
      databaseOf(file, record.db);
      break;
    case REC_RESIZEDB: {
      const database = databaseOf(file, record.db);
      if (counted.get(file)?.has(record.db)) break;
      database.keys = Number(record.n[0]);
      database.expires = Number(record.n[1]);
      break;
    }
    case REC_FUNCTION:
    case REC_FUNCTION_PRE_GA:
      file.functions.push(nameText(record.rec === REC_FUNCTION ? record.a : record.b));
      break;
    case REC_MODULE_AUX:
      file.moduleAux++;
      break;
    case REC_EOF:
      file.checksum = VERDICTS[record.verdict];
      break;
  }
}
