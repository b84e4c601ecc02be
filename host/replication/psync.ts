// PSYNC: what we ask, and what each answer of a master means. Pure.

import { RespiteError } from '../errors.js';
import { encodeRequest } from './wire.js';

/** A place in a master's stream: all bytes up to `offset` are applied. */
export interface Position {
  /** 40 hex digits. */
  replid: string;
  offset: number;
  /** Database the stream has selected; a partial resync does not say it again. */
  db: number;
}

export type PsyncAnswer =
  | { kind: 'full'; replid: string; offset: number }
  /** `replid` only when the master named one. */
  | { kind: 'continue'; replid?: string }
  /** Not now: the position stays good. */
  | { kind: 'later'; reply: string };

/** Asks to go on behind `from`, or for everything. The first byte wanted is offset + 1. */
export function psyncRequest(from: Position | undefined): Uint8Array {
  return from === undefined
    ? encodeRequest(['PSYNC', '?', '-1'])
    : encodeRequest(['PSYNC', from.replid, String(from.offset + 1)]);
}

const FULL = /^\+FULLRESYNC ([0-9a-f]{40}) (\d{1,16})$/i;
const CONTINUE = /^\+CONTINUE(?: +([0-9a-f]{40}))? *$/i;
const LATER = /^-(NOMASTERLINK|LOADING)\b/;

/** Reads the answer; throws ERR_RESPITE_PSYNC_REFUSED, _AUTH or _PROTOCOL. */
export function readPsyncAnswer(line: string, asked: Position | undefined, address: string) {
  const full = FULL.exec(line);
  if (full !== null) {
    const [, replid, offset] = full as unknown as [string, string, string];
    return { kind: 'full', replid: replid.toLowerCase(), offset: Number(offset) } as PsyncAnswer;
  }
  const more = CONTINUE.exec(line);
  if (more !== null && asked !== undefined) {
    const replid = more[1]?.toLowerCase();
    return (
      replid === undefined ? { kind: 'continue' } : { kind: 'continue', replid }
    ) as PsyncAnswer;
  }
  if (LATER.test(line)) return { kind: 'later', reply: line.slice(1) } as PsyncAnswer;
  throw refusal(line, address);
}

function refusal(line: string, address: string): RespiteError {
  const reply = line.slice(1, 513);
  if (/^-(NOAUTH|WRONGPASS)\b/.test(line)) {
    return new RespiteError(
      'ERR_RESPITE_AUTH',
      `The master ${address} wants a password: ${reply}`,
      { details: { address, reply } },
    );
  }
  if (line.startsWith('-')) {
    return new RespiteError(
      'ERR_RESPITE_PSYNC_REFUSED',
      `The master ${address} does not let us replicate, it answered PSYNC with: ${reply}`,
      { details: { address, reply } },
    );
  }
  return new RespiteError(
    'ERR_RESPITE_PROTOCOL',
    `The master ${address} answered PSYNC with ${line.slice(0, 128)}`,
    { details: { data: line.slice(0, 128) } },
  );
}
