/**
 * Scripts of the process that holds the core, without a request: what surrounds EVAL when a socket
 * asks for it. Between the two calls `scriptRun` (script.ts) runs the script's commands.
 */
import { clientAt } from '../clients/client';
import { LOCAL_BUSY, LOCAL_CLOSED, LOCAL_LOADING } from '../clients/local';
import { effectsPending } from '../keyspace/effects';
import { readyKeyCount } from '../keyspace/ready-keys';
import {
  loading,
  loadingAsync,
  SCRIPT_IDLE,
  scriptState,
  setNow,
} from '../keyspace/state';
import { trackingSettle } from '../keyspace/tracking';
import { scriptBegin, scriptEnd, scriptOwner } from './script';
import { turnBegin, turnEnd } from './turn';
import { commitFor, serveReadyKeys } from './unblock';

/**
 * A script of an internal client begins, at a time: 0, or below 0 why it may not (LOCAL_*). After 0
 * `localScriptEnd` must follow, with nothing but the script's calls between.
 */
export function localScriptBegin(handle: u32, nowMs: f64): i32 {
  const c = clientAt(handle);
  if (changetype<usize>(c) == 0) return LOCAL_CLOSED;
  if (loading && !loadingAsync) return LOCAL_LOADING;
  if (scriptState != SCRIPT_IDLE) return LOCAL_BUSY;
  setNow(<i64>nowMs);
  turnBegin(c);
  scriptBegin();
  return 0;
}

/** It is over: its effects go out as one unit, and who waited for its keys is served. */
export function localScriptEnd(): void {
  scriptEnd();
  const c = scriptOwner();
  if (effectsPending()) commitFor(c);
  if (readyKeyCount != 0) serveReadyKeys();
  turnEnd(c);
  trackingSettle();
}
