/** Switches that only DEBUG and its configuration move. */

export const DEBUG_NO: u32 = 0;
export const DEBUG_YES: u32 = 1;
export const DEBUG_LOCAL: u32 = 2;

/** enable-debug-command: one of DEBUG_*. Set by the host. */
export let debugMode: u32 = DEBUG_NO;
/** DEBUG SET-SKIP-CHECKSUM-VALIDATION: RESTORE takes a payload whatever its checksum. */
export let skipChecksum: bool = false;

export function debugSetMode(mode: u32): void {
  debugMode = mode;
}

export function debugSkipChecksum(on: bool): void {
  skipChecksum = on;
}
