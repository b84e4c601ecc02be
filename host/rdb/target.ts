// Which server exported commands are for, as users say it: "7.0", "redis 6.2", "valkey 8.1".

import { type Check, text, wrongOption } from './check-options.js';

/** What assembly/inspect/target.ts takes. */
export interface TargetOptions {
  /** 100 * major + minor of the Redis whose commands the server has; 0: that of the file. */
  level: number;
  /** Highest RDB version its RESTORE reads; 0: any. */
  payload: number;
}

/** From which Redis version on (100 * major + minor) which RDB version is read. */
const RDB_VERSIONS = [
  ...[[0, 6] as const, [302, 7] as const, [400, 8] as const, [500, 9] as const],
  ...[[700, 10] as const, [702, 11] as const, [704, 12] as const, [806, 13] as const],
  ...[[808, 14] as const, [810, 15] as const],
] as const;

const VALKEY_FIELD_EXPIRY = 900;
/** PEXPIREAT, RESTORE and scripts are of 2.6. */
const OLDEST = 206;

export const targetCheck: Check = (value, option) => {
  text(value, option);
  targetOptions(value as string);
};

/** Reads a server's name and version; undefined is "as the file's". */
export function targetOptions(target: string | undefined): TargetOptions {
  if (target === undefined) return { level: 0, payload: 0 };
  const parts = /^(redis|valkey)?[\s-]*v?(\d{1,2})(?:\.(\d{1,2}))?(?:\.\d+)*$/i.exec(target.trim());
  const version = parts === null ? 0 : Number(parts[2]) * 100 + Number(parts[3] ?? 0);
  if (parts === null || version < OLDEST) {
    const say = 'say 7.0, "redis 6.2" or "valkey 8.1"; 2.6 is the oldest';
    throw wrongOption('target', `not a server version: ${target} (${say})`);
  }
  if (parts[1]?.toLowerCase() === 'valkey') {
    return version < VALKEY_FIELD_EXPIRY
      ? { level: 702, payload: 11 }
      : { level: 704, payload: 80 };
  }
  const [, payload] = RDB_VERSIONS.findLast(([since]) => version >= since) ?? RDB_VERSIONS[0];
  return { level: version, payload };
}
