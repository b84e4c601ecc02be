/** A client's turn: everything that the running of its commands relies on is set to it. */
import {
  Client,
  CLIENT_CLOSE_NOW,
  CLIENT_MASTER,
  CLIENT_NO_TOUCH,
  CLIENT_REPLY_OFF,
  CLIENT_REPLY_SKIP,
  client,
  clientList,
  setCurrentClient,
} from '../clients/client';
import { limitCheck, limitWhileWriting, pushRelease, pushRunning } from '../keyspace/push';
import { setFromMaster, setNoTouch } from '../keyspace/state';
import { replyBegin, replyEnd, replyFailed, replyLimit, replyMute } from '../resp/reply';

/** Commands run for this client from here on, and its replies are being written. */
export function turnBegin(c: Client): void {
  setCurrentClient(c);
  replyBegin(clientList(c), c.resp, false);
  replyLimit(limitWhileWriting(c));
  pushRunning(c);
  setFromMaster((c.flags & CLIENT_MASTER) != 0);
  setNoTouch((c.flags & CLIENT_NO_TOUCH) != 0);
  applyMute();
}

/** The end of it. Its last reply must be whole. */
export function turnEnd(c: Client): void {
  pushRelease();
  replyEnd();
  limitCheck(c);
  if (replyFailed) c.flags |= CLIENT_CLOSE_NOW;
  pushRunning(changetype<Client>(0));
  setFromMaster(false);
}

/** Sets the reply writer to what the client's flags say. */
export function applyMute(): void {
  replyMute((client.flags & (CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP | CLIENT_MASTER)) != 0);
}
