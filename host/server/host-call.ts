// What handlers of host commands share, apart from the table of them: so that a place without a
// whole server (the page's console) can use some of them.

import type { HostCall } from './host-commands.js';

const decoder = new TextDecoder('latin1');

/** An argument as text; bytes above 127 become the Latin-1 characters of the same number. */
export function argText(call: HostCall, index: number): string {
  return decoder.decode(call.argv[index]);
}

/** The reply of a HELP subcommand. */
export function writeHelp(call: HostCall, lines: readonly string[]): void {
  call.out.array(lines.length);
  for (const line of lines) call.out.simple(line);
}
