// Exit codes of the commands that start servers; those of `respite rdb` stand in rdb/common.ts.

/** Exit codes are a contract: docs/configuration.md lists them. */
export const EXIT = {
  ok: 0,
  /** It could not start, or failed later. */
  failed: 1,
  /** Wrong command, option or configuration line. */
  usage: 2,
  /** A second SIGINT, or SIGTERM, before the shutdown was through. */
  forcedInt: 130,
  forcedTerm: 143,
} as const;
