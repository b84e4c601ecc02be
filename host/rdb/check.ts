// Files as a whole: verified, or only what they say of themselves. No key comes out of the core.

import { MODE_CHECK, MODE_INFO } from '../core/inspector.js';
import { isRespiteError, type RespiteError } from '../errors.js';
import { boolean, type Checks, checkOptions, INSPECT_CHECKS } from './check-options.js';
import { addToFile, emptyFile, type RdbFile } from './file-facts.js';
import { beginInspection, type InspectOptions } from './read-rdb.js';
import { RecordCutter } from './records.js';
import { outputs } from './run.js';
import type { RdbSource } from './source.js';

/** What reading a file as a whole gives. */
export interface RdbVerdict extends RdbFile {
  /** Keys there are. */
  keys: number;
  /** Bytes of the RDB; more may follow in the file, as in an append-only file. */
  bytes: number;
  /** Keys whose value was damaged and left out (`salvage`). */
  damaged: number;
  /** With `partial`: why not all of the file was read. */
  damage?: RespiteError | undefined;
}

export interface InfoOptions extends InspectOptions {
  /** A damaged file gives what was read before the damage, with `damage` set, and no error. */
  partial?: boolean | undefined;
}

const INFO_CHECKS: Checks<InfoOptions> = { ...INSPECT_CHECKS, partial: boolean };

/**
 * Verifies a whole file, its checksum and the insides of every value. Rejects with
 * ERR_RESPITE_RDB_FORMAT (offset, reason, key, database) at the first damage.
 */
export async function checkRdb(
  source: RdbSource,
  options: InspectOptions = {},
): Promise<RdbVerdict> {
  checkOptions(options, INSPECT_CHECKS);
  return readFacts(source, options, MODE_CHECK);
}

/** What a file says of itself; values are passed over unread. Rejects as `checkRdb` does. */
export async function readRdbInfo(
  source: RdbSource,
  options: InfoOptions = {},
): Promise<RdbVerdict> {
  checkOptions(options, INFO_CHECKS);
  return readFacts(source, options, MODE_INFO);
}

async function readFacts(
  source: RdbSource,
  options: InfoOptions,
  mode: number,
): Promise<RdbVerdict> {
  const inspector = await beginInspection(source, options, mode);
  const file = emptyFile();
  const cutter = new RecordCutter();
  const verdict = (): RdbVerdict => {
    const { keysRead: keys, rdbBytes: bytes, damaged } = inspector;
    return { ...file, ...inspector.version, keys, bytes, damaged };
  };
  try {
    for await (const output of outputs(inspector, source, options)) {
      for (const raw of cutter.cut(output)) addToFile(file, raw);
    }
    return verdict();
  } catch (error) {
    const isDamage = isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT');
    if (!options.partial || !isDamage || inspector.version.version === 0) throw error;
    return { ...verdict(), damage: error };
  } finally {
    inspector.close();
  }
}
