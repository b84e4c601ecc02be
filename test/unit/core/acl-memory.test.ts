// Users when memory runs out: rules are taken whole or not at all, nothing is leaked, nothing
// traps, wherever the allocation that fails happens to be.

import { expect, test } from 'vitest';
import { readStatistics } from '../../../host/core/statistics.js';
import { type MemoryClient, MemoryHost } from '../../sim/memory-host.js';
import { encodeCommand } from '../../support/bytes.js';

const OOM = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";
const encoder = new TextEncoder();

async function ask(client: MemoryClient, ...args: string[]): Promise<string> {
  return (await client.ask(encodeCommand(args))).toString('latin1');
}

const small = () => new MemoryHost({ memory: { reserve: true, memoryBytesMax: 8 << 20 } });

const rulesOf = (i: number, size: number) => [
  ...['on', `>p${i}`, '>q', `~k${i}${'k'.repeat(size)}`, '%R~r*', '&c*', '+@all', '-get'],
  ...['+select|0', '(~x +get', '&y)', `(%W~${'w'.repeat(size)})`],
];

test('users until nothing fits, and then none', { timeout: 120_000 }, async () => {
  const host = small();
  const client = host.open();
  const after: number[] = [];
  for (let round = 0; round < 3; round++) {
    let users = 0;
    for (; ; users++) {
      const reply = await ask(client, 'ACL', 'SETUSER', `u${users}`, ...rulesOf(users, 200));
      if (reply === OOM) break;
      expect(reply).toBe('+OK\r\n');
    }
    expect(users).toBeGreaterThan(500);
    expect(await ask(client, 'ACL', 'GETUSER', `u${users}`)).toBe('$-1\r\n');
    const before = await ask(client, 'ACL', 'GETUSER', 'u0');
    const long = `~${'z'.repeat(50_000)}`;
    for (let i = 0; i < 20; i++) {
      expect(await ask(client, 'ACL', 'SETUSER', 'u0', 'off', `(${long} +set)`)).toBe(OOM);
    }
    expect(await ask(client, 'ACL', 'GETUSER', 'u0')).toBe(before);
    for (let i = 0; i < users; i++) await ask(client, 'ACL', 'DELUSER', `u${i}`);
    expect(await ask(client, 'ACL', 'USERS')).toBe('*1\r\n$7\r\ndefault\r\n');
    after.push(readStatistics(host.core).usedMemory);
  }
  expect(after[2]).toBe(after[1]);
});

test('every allocation may fail', { timeout: 120_000 }, async () => {
  const host = small();
  const client = host.open();
  const other = host.open();
  const file = encoder.encode('user default on nopass ~* &* +@all\nuser f on >p (~a +get) (~b)\n');
  const name = encoder.encode('x.acl');
  const load = (): number | undefined => {
    try {
      return host.core.withBytes(file, (ptr, len) =>
        host.core.withBytes(name, (np, nl) => host.core.x.usersLoad(ptr, len, np, nl)),
      );
    } catch {
      return undefined;
    }
  };
  let keys = 0;
  while ((await ask(client, 'SET', `key:${keys}`, 'v'.repeat(24))) === '+OK\r\n') keys++;
  const seen = new Set<string>();
  for (let i = 0; i < 600; i++) {
    const size = (i * 37) % 900;
    const set = await ask(client, 'ACL', 'SETUSER', 'u', ...rulesOf(i, size));
    seen.add(set);
    const user = await ask(client, 'ACL', 'GETUSER', 'u');
    if (set === '+OK\r\n' && !user.includes('-OOM')) expect(user).toContain('~x');
    seen.add((await ask(client, 'ACL', 'DRYRUN', 'u', 'GET', 'x')).slice(0, 4));
    await ask(other, 'AUTH', 'u', `p${i}`);
    await ask(other, 'GET', 'nokey');
    await ask(other, 'AUTH', 'nobody', 'x'.repeat(size));
    await ask(other, 'AUTH', 'default', 'x');
    if (i % 50 === 49) seen.add(`load ${load()}`);
    if (i % 20 === 19) seen.add((await ask(client, 'ACL', 'DELUSER', 'u')).slice(0, 2));
    expect(client.isClosing).toBe(false);
    for (let n = 0; n < 60; n++) await ask(client, 'DEL', `key:${i * 60 + n}`);
  }
  expect(seen).toContain(OOM);
  expect(seen).toContain('+OK\r\n');
  expect([...seen]).toContain('load 0');
  expect(await ask(client, 'ACL', 'SETUSER', 'last', 'on')).toBe('+OK\r\n');
  expect(await ask(client, 'ACL', 'LIST')).toContain('user last on');
});
