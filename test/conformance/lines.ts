// Reads a file of conformance lines into steps. The form of the files, in full:
//
//   # comment                 GET key                 one command, quoted as in redis-cli
//   ~ SET k {a|b} {NX|XX|}    every combination of the groups, one command each (\| is a bar)
//   $name$                    a DUMP payload of payloads.json; $name:cut=3$ drops bytes at the
//                             end, :flip=5 inverts byte 5, :set=5,255 sets it, :ver=9 changes
//                             the version (checksum made right), :seal makes the checksum right
//   $repeat:x:1000$           1000 times x
//   @fresh                    compare keyspaces, then FLUSHALL, new connections, configs back
//   @types                    k:str k:list k:set k:hash k:zset k:stream, made with RESTORE
//   @conn 2                   go on with (open) connection 2;   @resp3 / @resp2: HELLO on it
//   @config name value        CONFIG SET on both, undone at @fresh;   @sleep MS
//   ACL LIST and ACL GETUSER are compared without the order of single commands in rules
//   @before CMD, @after CMD   run before and after each following command, until @end
// and these, for the next line (with all its combinations) only:
//   @mask int|idle|kv|shape|type|code|text   parts not compared (see masks.ts)
//   @mask re /regular expression/        matched text is not compared
//   @mask drop /regular expression/      the same where only one of them has it
//   @approx N      integers may differ by N        @unordered   order of elements is free
//   @scan          the line is a SCAN: whole iteration, compared as sets
//   @replies N, @noreply, @closes         other than one reply; the connection closes after it
//   @timeout MS    a reply may take that long
//   @raw           the line is one quoted string of bytes, sent as they are
//   @expect "raw"  what respite must answer where it follows a newer version than the oracle,
//   @differs why   or, written down with its reason, where its answer is not compared

import { readFileSync } from 'node:fs';
import { splitArgs } from '../support/bytes.js';
import { sealDump } from '../support/crc64.js';
import type { Mask } from './masks.js';

export interface CommandStep {
  kind: 'command' | 'raw' | 'scan';
  line: number;
  text: string;
  args: Buffer[];
  masks: Mask[];
  replies: number;
  closes: boolean;
  expect: Buffer | undefined;
  differs: string | undefined;
  timeoutMs: number | undefined;
}

export type Step =
  | CommandStep
  | { kind: 'fresh' | 'types'; line: number }
  | { kind: 'conn' | 'resp' | 'sleep'; line: number; value: number }
  | { kind: 'config'; line: number; name: string; value: string };

const payloads: Record<string, string> = JSON.parse(
  readFileSync(new URL('payloads.json', import.meta.url), 'latin1'),
);

export const TYPE_KEYS: [key: string, payload: string][] = [
  ['k:str', 'str'],
  ['k:list', 'list'],
  ['k:set', 'set'],
  ['k:hash', 'hash'],
  ['k:zset', 'zset'],
  ['k:stream', 'stream'],
];

/** The bytes of a payload, by name and changes: name[:change[=value]]… */
export function payload(spec: string): Buffer {
  const [name, ...changes] = spec.split(':');
  const hex = payloads[name!];
  if (hex === undefined) throw new Error(`no payload ${name}`);
  let bytes: Buffer = Buffer.from(hex, 'hex');
  for (const change of changes) {
    const [what, value = ''] = change.split('=');
    const [at, to] = value.split(',').map(Number) as [number, number];
    const index = at < 0 ? bytes.length + at : at;
    if (what === 'cut') bytes = bytes.subarray(0, bytes.length - at);
    else if (what === 'flip') bytes[index]! ^= 255;
    else if (what === 'set') bytes[index] = to;
    else if (what === 'ver') bytes = sealDump(bytes.subarray(0, -10), at);
    else if (what === 'seal') bytes = sealDump(bytes.subarray(0, -10));
    else throw new Error(`no change ${what}`);
  }
  return bytes;
}

/** One word of a line as bytes: $…$ forms replaced. */
function argument(word: string): Buffer {
  const form = /^\$([a-z][a-z0-9_]*(:.*)?)\$$/s.exec(word);
  if (form === null) return Buffer.from(word, 'latin1');
  const repeat = /^repeat:(.+):(\d+)$/s.exec(form[1]!);
  if (repeat) return Buffer.from(repeat[1]!.repeat(Number(repeat[2])), 'latin1');
  return payload(form[1]!);
}

/** Every combination of the {a|b|} groups of a line. */
export function expand(text: string): string[] {
  const group = /\{([^{}]*\|[^{}]*)\}/.exec(text);
  if (group === null) return [text.replace(/ +/g, ' ').trim()];
  const before = text.slice(0, group.index);
  const after = text.slice(group.index + group[0].length);
  const choices = group[1]!.split(/(?<!\\)\|/);
  return choices.flatMap((choice) => expand(before + choice.replaceAll('\\|', '|') + after));
}

interface Pending {
  kind: CommandStep['kind'];
  masks: Mask[];
  replies: number;
  closes: boolean;
  expect: Buffer | undefined;
  differs: string | undefined;
  timeoutMs: number | undefined;
}

function nothingPending(): Pending {
  return {
    kind: 'command',
    masks: [],
    replies: 1,
    closes: false,
    expect: undefined,
    differs: undefined,
    timeoutMs: undefined,
  };
}

/** All steps of a file's text; throws with the line number on a line it cannot read. */
export function parseLines(text: string): Step[] {
  const reader = new LineReader();
  for (const [i, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    try {
      reader.take(i + 1, line);
    } catch (error) {
      throw new Error(`line ${i + 1}: ${(error as Error).message}`);
    }
  }
  return reader.steps;
}

class LineReader {
  readonly steps: Step[] = [];
  #pending = nothingPending();
  #before: string[] = [];
  #after: string[] = [];

  take(line: number, text: string): void {
    if (text.startsWith('@')) {
      this.#directive(line, text);
      return;
    }
    const pending = this.#pending;
    this.#pending = nothingPending();
    const cases = text.startsWith('~ ') ? expand(text.slice(2)) : [text];
    for (const one of cases) {
      for (const setup of this.#before) this.#command(line, setup, nothingPending());
      this.#command(line, one, pending);
      for (const check of this.#after) this.#command(line, check, nothingPending());
    }
  }

  #command(line: number, text: string, pending: Pending): void {
    const isRules = /^ACL (LIST|GETUSER)\b/i.test(text);
    const masks = isRules ? [...pending.masks, { what: 'rules' } as const] : pending.masks;
    this.steps.push({ line, text, args: splitArgs(text).map(argument), ...pending, masks });
  }

  #directive(line: number, text: string): void {
    const [, name, rest] = /^@(\S+)\s*(.*)$/s.exec(text)!;
    const steps = this.steps;
    if (name === 'fresh' || name === 'types') steps.push({ kind: name, line });
    else if (name === 'resp3') steps.push({ kind: 'resp', line, value: 3 });
    else if (name === 'resp2') steps.push({ kind: 'resp', line, value: 2 });
    else if (name === 'conn' || name === 'sleep') {
      steps.push({ kind: name, line, value: Number(rest) });
    } else if (name === 'config') {
      const [key, ...value] = splitArgs(rest!);
      steps.push({ kind: 'config', line, name: key!, value: value.join(' ') });
    } else if (name === 'before') this.#before.push(rest!);
    else if (name === 'after') this.#after.push(rest!);
    else if (name === 'end') {
      this.#before = [];
      this.#after = [];
    } else this.#forNextLine(name!, rest!);
  }

  #forNextLine(name: string, rest: string): void {
    const pending = this.#pending;
    if (name === 'mask' && /^(re|drop) /.test(rest)) {
      const source = /^(re|drop) \/(.*)\/$/.exec(rest);
      if (source === null) throw new Error('expected @mask re /…/');
      pending.masks.push({ what: source[1] as 're', re: new RegExp(source[2]!, 'g') });
    } else if (name === 'mask' && /^(int|idle|kv|shape|type|code|text)$/.test(rest)) {
      pending.masks.push({ what: rest as 'int' });
    } else if (name === 'approx') pending.masks.push({ what: 'approx', by: BigInt(rest) });
    else if (name === 'unordered') pending.masks.push({ what: 'unordered' });
    else if (name === 'scan' || name === 'raw') pending.kind = name;
    else if (name === 'replies') pending.replies = Number(rest);
    else if (name === 'noreply') pending.replies = 0;
    else if (name === 'timeout') pending.timeoutMs = Number(rest);
    else if (name === 'closes') pending.closes = true;
    else if (name === 'expect') pending.expect = Buffer.from(splitArgs(rest)[0]!, 'latin1');
    else if (name === 'differs') pending.differs = rest;
    else throw new Error(`no directive @${name}`);
  }
}
