// The COMMAND family: raw replies in RESP2 and RESP3 beside a real redis-server's. The handlers
// run without a server around them. Replies that list many commands are compared as values, after
// leaving out of theirs what is not implemented here (their order is a hash table's).

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMAND_NAMES } from '../../host/commands/generated/table.js';
import { COMMAND_FAMILY, commandId, commandRow } from '../../host/server/commands/command.js';
import { RespWriter } from '../../host/server/reply-writer.js';
import { LiveRedis, parseReply, type Reply } from '../unit/command-table/live-redis.js';
// @ts-expect-error plain JavaScript of the build
import { loadSpecForTests } from '../unit/command-table/spec-access.mjs';

const implemented: ReadonlySet<string> = new Set(COMMAND_NAMES);
/** Not in 7.0.15, or different there on purpose: the notes are in the spec rows. */
const rows: { name: string; beyond?: string }[] = loadSpecForTests(true);
const NEWER: readonly string[] = rows
  .filter(({ beyond }) => beyond !== undefined)
  .map(({ name }) => name);
const common = COMMAND_NAMES.filter((name) => !NEWER.includes(name));

let live: LiveRedis;

beforeAll(async () => {
  live = await LiveRedis.start();
});

afterAll(() => live?.stop());

function ours(protocol: 2 | 3, line: string[]): string {
  const out = new RespWriter(protocol);
  const full = ['command', ...line.slice(1, 2)].join('|').toLowerCase();
  const handler = COMMAND_FAMILY[full]!;
  handler(
    line.map((word) => Buffer.from(word, 'latin1')),
    out,
  );
  return Buffer.from(out.bytes()).toString('latin1');
}

const parsed = (raw: string): Reply => (parseReply(raw) as { value: Reply }).value;
const nameOf = (info: Reply): string => (info as Reply[])[0] as string;

/** Sorted, with only what is implemented here and there. */
function tidyInfo(info: Reply): Reply {
  const list = [...(info as Reply[])];
  const subs = (list[9] as Reply[]).filter((sub) => common.includes(nameOf(sub) as never));
  list[9] = subs.map(tidyInfo).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return list;
}

/** The reply of DOCS as nested objects; only commands known to both. */
function tidyDocs(docs: Reply): Record<string, unknown> {
  const entries = [...(docs as Map<string, Reply>)].filter(([name]) =>
    common.includes(name as never),
  );
  return Object.fromEntries(
    entries.map(([name, doc]) => {
      const members = Object.fromEntries(doc as Map<string, Reply>);
      const subs = members.subcommands;
      return [name, subs ? { ...members, subcommands: tidyDocs(subs) } : members];
    }),
  );
}

const EXACT = `
command help
command info nosuch|command info get nosuch GET|command info get;foo x
command docs nosuch|command docs get nosuch SET get
command list filterby module x|command list filterby aclcat nosuch
command list FILTERBY pattern [
command list filterby foo x|command list foo
command list filterby pattern|command list filterby pattern a b
command info object;help|command info object; object;help;x ;
command docs client;info OBJECT;ENCODING
`;

describe.each([2, 3] as const)('RESP%i', (protocol) => {
  beforeAll(async () => {
    await live.raw('hello', String(protocol));
  });

  it('answers the same bytes', async () => {
    const lines = EXACT.split(/[\n|]/).filter((line) => line.trim());
    for (const text of lines) {
      const line = text.trim().replaceAll(';', '|').split(' ');
      expect([text, ours(protocol, line)]).toEqual([text, await live.raw(...line)]);
    }
  });

  it('describes each command in the same bytes', async () => {
    for (const name of common) {
      if (commandRow(commandId(name)!).subs.length > 0) continue;
      for (const kind of ['info', 'docs']) {
        const line = ['command', kind, name.toUpperCase()];
        expect([name, ours(protocol, line)]).toEqual([name, await live.raw(...line)]);
      }
    }
  });

  it('describes the containers with their subcommands', async () => {
    for (const name of common) {
      if (commandRow(commandId(name)!).subs.length === 0) continue;
      const info = ['command', 'info', name];
      const [mine, theirs] = [ours(protocol, info), await live.raw(...info)].map((raw) =>
        tidyInfo((parsed(raw) as Reply[])[0]!),
      );
      expect(mine).toEqual(theirs);
    }
  });

  it('lists the commands that match', async () => {
    const filters = [
      '*',
      'GET*',
      '*|*n*',
      'h?ello',
      '?et',
      '[a-c]*',
      '[^a-x]*',
      '[z-x]*',
      'c\\lient*',
      '*set',
      '[xyz',
      '\\',
      '**e**',
      '',
    ].map((glob) => ['pattern', glob]);
    const categories = ['string', 'KEYSPACE', 'dangerous', 'fast'].map((name) => ['aclcat', name]);
    for (const filter of [[], ...filters, ...categories]) {
      const line = ['command', 'list', ...(filter.length ? ['filterby', ...filter] : [])];
      const all = (await live.call(...line)) as string[];
      const mine = parsed(ours(protocol, line)) as string[];
      const newer = mine.filter((name) => NEWER.includes(name));
      const theirs = all.filter((name) => implemented.has(name));
      expect([filter, [...mine].sort()]).toEqual([
        filter,
        [...new Set([...theirs, ...newer])].sort(),
      ]);
    }
  });
});

it('counts and lists all commands', async () => {
  await live.raw('hello', '3');
  const top = COMMAND_NAMES.filter((name) => !name.includes('|'));
  expect(ours(3, ['command', 'count'])).toBe(`:${top.length}\r\n`);
  const mine = parsed(ours(3, ['command'])) as Reply[];
  expect(mine.map(nameOf)).toEqual(top);
  expect(ours(3, ['command', 'info'])).toBe(ours(3, ['command']));
  const docs = ours(3, ['command', 'docs']);
  const theirs = tidyDocs(await live.call('command', 'docs'));
  expect(tidyDocs(parsed(docs))).toEqual(theirs);
});
