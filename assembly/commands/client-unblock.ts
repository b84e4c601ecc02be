/** CLIENT UNBLOCK. */
import { clientById } from '../clients/client';
import { argI64OrReply, argInt } from '../resp/arg-values';
import { argc, argIs } from '../resp/args';
import { replyError, replyInt } from '../resp/reply';
import { CMD_CLIENT } from './generated/ids';
import { replySubcommandSyntax } from './reject';
import { unblockByOrder } from './unblock';

export function cmdClientUnblock(): void {
  if (argc > 4) {
    replySubcommandSyntax(CMD_CLIENT);
    return;
  }
  const isError = argc == 4 && argIs(3, 'error');
  if (argc == 4 && !isError && !argIs(3, 'timeout')) {
    replyError('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
    return;
  }
  if (!argI64OrReply(2)) return;
  const target = clientById(argInt);
  // Who waits for the end of a pause cannot be unblocked one by one.
  const isBlocked = changetype<usize>(target) != 0 && target.blocked != 0;
  if (isBlocked) unblockByOrder(target, isError);
  replyInt(isBlocked ? 1 : 0);
}
