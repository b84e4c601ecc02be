/** Commands about the connection itself: AUTH, HELLO, ECHO, PING, QUIT, RESET, SELECT. */
import { llValue, string2ll } from '../base/numbers/integers';
import {
  client,
  CLIENT_AUTHENTICATED,
  CLIENT_CLOSE_AFTER_REPLY,
  CLIENT_NO_TOUCH,
  CLIENT_READONLY,
  CLIENT_REPLY_OFF,
  CLIENT_REPLY_SKIP_NEXT,
  clientDiscard,
  clientId,
} from '../clients/client';
import { applyMute } from './turn';
import { monitorStop } from '../clients/monitors';
import { clientLogin, clientSetDefaultUser } from '../clients/acl';
import { defaultUser, USER_NOPASS } from '../clients/acl-user';
import { clientSetName } from '../clients/names';
import { dbCount } from '../keyspace/db';
import { unsubscribeAll } from '../keyspace/pubsub';
import { isReplica } from '../keyspace/state';
import { trackingStop } from '../keyspace/tracking';
import { argc, argIs, argLen, argPtr } from '../resp/args';
import { PUSH_PUBSUB } from '../resp/outbox';
import { writeLiteral } from '../base/literal';
import {
  errorBegin,
  errorBytes,
  errorEnd,
  errorText,
  replyArray,
  replyBulk,
  replyBulkLiteral,
  replyError,
  replyInt,
  replyMap,
  replyOk,
  replySetVersion,
  replySimple,
} from '../resp/reply';
import { aclContext } from './acl-check';
import { aclLogAdd, aclLogUser, REASON_AUTH } from './acl-log';

export function cmdPing(): void {
  if (argc > 2) {
    replyError("ERR wrong number of arguments for 'ping' command");
    return;
  }
  if (client.push & PUSH_PUBSUB && client.resp == 2) {
    replyArray(2);
    replyBulkLiteral('pong');
    if (argc == 1) replyBulk(0, 0);
    else replyBulk(argPtr(1), argLen(1));
    return;
  }
  if (argc == 1) replySimple('PONG');
  else replyBulk(argPtr(1), argLen(1));
}

export function cmdEcho(): void {
  replyBulk(argPtr(1), argLen(1));
}

export function cmdSelect(): void {
  if (!string2ll(argPtr(1), argLen(1))) {
    replyError('ERR value is not an integer or out of range');
    return;
  }
  if (llValue > i32.MAX_VALUE || llValue < i32.MIN_VALUE) {
    replyError('ERR value is out of range, value must between -2147483648 and 2147483647');
    return;
  }
  if (llValue < 0 || llValue >= <i64>dbCount) {
    replyError('ERR DB index is out of range');
    return;
  }
  client.db = <u32>llValue;
  replyOk();
}

export function cmdQuit(): void {
  client.flags |= CLIENT_CLOSE_AFTER_REPLY;
  replyOk();
}

export function cmdReset(): void {
  clientDiscard(client);
  monitorStop(client);
  unsubscribeAll(client);
  trackingStop(client);
  client.db = 0;
  client.resp = 2;
  replySetVersion(2);
  clientSetName(client, 0, 0);
  // Redis 7.0: NO-EVICT stays.
  client.flags &= ~(
    CLIENT_REPLY_OFF |
    CLIENT_REPLY_SKIP_NEXT |
    CLIENT_NO_TOUCH |
    CLIENT_READONLY
  );
  clientSetDefaultUser(client);
  applyMute();
  replySimple('RESET');
}

const defaultName = memory.data(8);

/** Logs the client in as the given user; false: the pair is wrong, answered and noted. */
function loginOrReply(user: usize, userLen: u32, pass: usize, passLen: u32): bool {
  if (clientLogin(user, userLen, pass, passLen)) return true;
  aclLogUser(user, userLen);
  aclLogAdd(REASON_AUTH, aclContext(), argPtr(0), argLen(0));
  replyError('WRONGPASS invalid username-password pair or user is disabled.');
  return false;
}

export function cmdAuth(): void {
  if (argc > 3) {
    replyError('ERR syntax error');
    return;
  }
  if (argc == 3) {
    if (loginOrReply(argPtr(1), argLen(1), argPtr(2), argLen(2))) replyOk();
    return;
  }
  if (defaultUser.flags & USER_NOPASS) {
    errorBegin('ERR AUTH <password> called without any password configured for the ');
    errorText('default user. Are you sure your configuration is correct?');
    errorEnd();
    return;
  }
  const n = writeLiteral(defaultName, 'default');
  if (loginOrReply(defaultName, n, argPtr(1), argLen(1))) replyOk();
}

/** Options of HELLO from argument 2 on; false: answered with an error. */
function helloOptions(): bool {
  for (let i: u32 = 2; i < argc; i++) {
    const more = argc - 1 - i;
    if (more >= 2 && argIs(i, 'auth')) {
      if (!loginOrReply(argPtr(i + 1), argLen(i + 1), argPtr(i + 2), argLen(i + 2))) {
        return false;
      }
      i += 2;
    } else if (more >= 1 && argIs(i, 'setname')) {
      // Redis 7.0: the name stays even if something behind it is wrong.
      if (!clientSetName(client, argPtr(i + 1), argLen(i + 1))) {
        replyError('ERR Client names cannot contain spaces, newlines or special characters.');
        return false;
      }
      i++;
    } else {
      errorBegin("ERR Syntax error in HELLO option '");
      errorBytes(argPtr(i), argLen(i), 128);
      errorText("'");
      errorEnd();
      return false;
    }
  }
  if ((client.flags & CLIENT_AUTHENTICATED) == 0) {
    errorBegin('NOAUTH HELLO must be called with the client already authenticated, otherwise ');
    errorText('the HELLO AUTH <user> <pass> option can be used to authenticate the ');
    errorText('client and select the RESP protocol version at the same time');
    errorEnd();
    return false;
  }
  return true;
}

export function cmdHello(): void {
  let version: u32 = 0;
  if (argc >= 2) {
    if (!string2ll(argPtr(1), argLen(1))) {
      replyError('ERR Protocol version is not an integer or out of range');
      return;
    }
    if (llValue < 2 || llValue > 3) {
      replyError('NOPROTO unsupported protocol version');
      return;
    }
    version = <u32>llValue;
  }
  if (!helloOptions()) return;
  if (version != 0) {
    client.resp = version;
    replySetVersion(version);
  }
  replyMap(7);
  replyBulkLiteral('server');
  replyBulkLiteral('redis');
  replyBulkLiteral('version');
  replyBulkLiteral(REDIS_VERSION);
  replyBulkLiteral('proto');
  replyInt(client.resp);
  replyBulkLiteral('id');
  replyInt(<i64>clientId(client));
  replyBulkLiteral('mode');
  replyBulkLiteral('standalone');
  replyBulkLiteral('role');
  replyBulkLiteral(isReplica ? 'replica' : 'master');
  replyBulkLiteral('modules');
  replyArray(0);
}

/** The Redis whose behaviour clients may expect; host/server/info.ts says the same. */
const REDIS_VERSION: string = '7.0.15';
