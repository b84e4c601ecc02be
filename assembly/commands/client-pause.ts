/** CLIENT PAUSE and CLIENT UNPAUSE; how commands wait is in clients/pause.ts. */
import { PAUSE_ALL, PAUSE_WRITE, pauseBegin, pauseEnd } from '../clients/pause';
import { timeoutMs, timeoutMsOrReply } from '../clients/timeout';
import { argc, argIs } from '../resp/args';
import { replyError, replyOk } from '../resp/reply';
import { CMD_CLIENT } from './generated/ids';
import { replySubcommandSyntax } from './reject';

export function cmdClientPause(): void {
  if (argc > 4) {
    replySubcommandSyntax(CMD_CLIENT);
    return;
  }
  const isWrite = argc == 4 && argIs(3, 'write');
  if (argc == 4 && !isWrite && !argIs(3, 'all')) {
    replyError('ERR CLIENT PAUSE mode must be WRITE or ALL');
    return;
  }
  if (!timeoutMsOrReply(2)) return;
  pauseBegin(isWrite ? PAUSE_WRITE : PAUSE_ALL, <f64>timeoutMs);
  replyOk();
}

export function cmdClientUnpause(): void {
  pauseEnd();
  replyOk();
}
