/** MONITOR, and what of a command its clients are shown. */
import { client, CLIENT_IN_EXEC, CLIENT_INTERNAL } from '../clients/client';
import {
  hasMonitors,
  monitorArgument,
  monitorBegin,
  monitorEnd,
  monitorRedacted,
  monitorStart,
} from '../clients/monitors';
import { argc } from '../resp/args';
import { PUSH_MONITOR } from '../resp/outbox';
import { replyError, replyOk } from '../resp/reply';
import { findSecrets, isSecret } from '../resp/secrets';
import { CMDFLAG_ADMIN, CMDFLAG_SKIP_MONITOR } from './generated/ids';
import { cmdFlags } from './generated/table';

export function cmdMonitor(): void {
  if (client.flags & (CLIENT_IN_EXEC | CLIENT_INTERNAL)) {
    replyError("ERR MONITOR isn't allowed for DENY BLOCKING client");
    return;
  }
  // Redis: asking twice is not even answered.
  if (client.push & PUSH_MONITOR) return;
  monitorStart(client);
  replyOk();
}

/** Shows the command in the arguments to whoever monitors. */
function show(): void {
  findSecrets();
  monitorBegin(client);
  for (let i: u32 = 0; i < argc; i++) {
    if (isSecret(i)) monitorRedacted();
    else monitorArgument(i);
  }
  monitorEnd();
}

/** To be called before a command runs. Redis: of a script the call itself is shown first. */
export function monitorBefore(id: i32): void {
  if (!hasMonitors()) return;
  const flags = cmdFlags(id);
  if (flags & CMDFLAG_SKIP_MONITOR && (flags & CMDFLAG_ADMIN) == 0) show();
}

/** To be called after a command has run, its arguments still in place. */
export function monitorAfter(id: i32): void {
  if (!hasMonitors()) return;
  if ((cmdFlags(id) & (CMDFLAG_SKIP_MONITOR | CMDFLAG_ADMIN)) == 0) show();
}
