/**
 * MONITOR: clients that are shown every command as it runs.
 *
 *   +<sec>.<usec> [<db> <address>] "<arg>" "<arg>" …
 *
 * The clock of the core ticks in ms, so the last three digits are zeros. Arguments are quoted as
 * Redis does; secrets are replaced by (redacted), see resp/secrets.ts.
 */
import { blobLen, blobPtr } from '../base/blob';
import { nowMs } from '../keyspace/state';
import {
  messageByte,
  messageBytes,
  messageDigits,
  messageEnd,
  messageText,
  messageTo,
  messageWord,
  observersChange,
  pushFlags,
} from '../keyspace/push';
import { argLen, argPtr } from '../resp/args';
import { Outbox, PUSH_MONITOR } from '../resp/outbox';
import { Client, CLIENT_REPLY_OFF, CLIENT_REPLY_SKIP, CLIENT_UNIX } from './client';

/** First of the clients in MONITOR mode. */
let first: usize = 0;
/** Commands are run by a script and shown so. */
let inScript: bool = false;

// @ts-ignore: decorator
@inline export function hasMonitors(): bool {
  return first != 0;
}

/** Commands from here on are a script's (or no longer). */
export function monitorScript(on: bool): void {
  inScript = on;
}

export function monitorStart(o: Outbox): void {
  if (o.push & PUSH_MONITOR) return;
  const at = <u32>changetype<usize>(o);
  o.monitorPrev = 0;
  o.monitorNext = <u32>first;
  if (first != 0) changetype<Outbox>(first).monitorPrev = at;
  first = at;
  pushFlags(o, PUSH_MONITOR, 0);
  observersChange(1);
}

export function monitorStop(o: Outbox): void {
  if ((o.push & PUSH_MONITOR) == 0) return;
  if (o.monitorPrev != 0) changetype<Outbox>(<usize>o.monitorPrev).monitorNext = o.monitorNext;
  else first = o.monitorNext;
  if (o.monitorNext != 0) changetype<Outbox>(<usize>o.monitorNext).monitorPrev = o.monitorPrev;
  pushFlags(o, 0, PUSH_MONITOR);
  observersChange(-1);
}

/** `digits` decimal digits of a number, zeros in front. */
function padded(n: u32, digits: u32): void {
  let unit: u32 = 1;
  for (let i: u32 = 1; i < digits; i++) unit *= 10;
  for (; unit > 0; unit /= 10) messageByte(48 + (n / unit) % 10);
}

function hex(nibble: u32): void {
  messageByte(nibble < 10 ? 48 + nibble : 87 + nibble);
}

/** The letter that stands for a control character behind a backslash; 0 = none. */
function escapeOf(c: u32): u32 {
  if (c == 10) return 110;
  if (c == 13) return 114;
  if (c == 9) return 116;
  if (c == 7) return 97;
  return c == 8 ? 98 : 0;
}

function quoted(ptr: usize, len: u32): void {
  messageByte(34);
  let from: u32 = 0;
  for (let i: u32 = 0; i < len; i++) {
    const c: u32 = load<u8>(ptr + i);
    if (c - 32 < 95 && c != 34 && c != 92) continue;
    messageBytes(ptr + from, i - from);
    from = i + 1;
    messageByte(92);
    const letter = c == 34 || c == 92 ? c : escapeOf(c);
    if (letter != 0) {
      messageByte(letter);
    } else {
      messageByte(120);
      hex(c >>> 4);
      hex(c & 15);
    }
  }
  messageBytes(ptr + from, len - from);
  messageByte(34);
}

/** As Redis: a unix socket is shown by its path, without the port 0 of CLIENT LIST. */
function addAddress(c: Client): void {
  const ptr = blobPtr(c.addr);
  let len = blobLen(c.addr);
  if (c.flags & CLIENT_UNIX) {
    messageWord('unix:');
    if (len > 2 && load<u16>(ptr + len - 2) == 0x303a) len -= 2;
  }
  messageBytes(ptr, len);
}

/** Starts the line of a command that `c` runs: all in front of its arguments. */
export function monitorBegin(c: Client): void {
  messageText();
  messageByte(43);
  messageDigits(nowMs / 1000);
  messageByte(46);
  padded(<u32>(nowMs % 1000), 3);
  messageWord('000 [');
  messageDigits(c.db);
  messageByte(32);
  if (inScript) messageWord('lua');
  else addAddress(c);
  messageByte(93);
}

export function monitorArgument(index: u32): void {
  messageByte(32);
  quoted(argPtr(index), argLen(index));
}

export function monitorRedacted(): void {
  messageWord(' "(redacted)"');
}

/** Ends the line and sends it. */
export function monitorEnd(): void {
  messageWord('\r\n');
  for (let at = first; at != 0; at = changetype<Outbox>(at).monitorNext) {
    const o = changetype<Outbox>(at);
    // Redis: unlike pushes these are silenced with the replies.
    if ((o.flags & (CLIENT_REPLY_OFF | CLIENT_REPLY_SKIP)) == 0) messageTo(o);
  }
  messageEnd();
}
