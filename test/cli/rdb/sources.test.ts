// What `respite rdb` reads: compressed files, append-only files, and live servers, which it reads
// as their replica, with everything a server may do on the way.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FakeMaster, friendly } from '../../replication/fake-master.js';
import { freePort, ROOT, type Server, startServer } from '../../support/servers.js';
import { runRdb } from './harness.js';

const FILE = join(ROOT, 'test/rdb/data/nocompress-redis8.0.6-rdb12.rdb');
const RDB = readFileSync(FILE);
const WHOLE = 'RDB 12, 124 keys, checksum right: whole\n';
const dir = mkdtempSync(join(tmpdir(), 'respite-rdb-sources-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function made(name: string, bytes: Uint8Array): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  return path;
}

describe('compressed', () => {
  const packed = zlib.gzipSync(RDB);

  test('gzip is told by its first bytes, from a file and from standard input', async () => {
    const path = made('dump.bin', packed);
    expect(await runRdb(['check', path])).toMatchObject({ code: 0, out: WHOLE, err: '' });
    const piped = await runRdb(['check', '-'], { stdinFile: path });
    expect(piped).toMatchObject({ code: 0, out: WHOLE });
  });

  test('several gzip members in one file', async () => {
    const two = Buffer.concat([
      zlib.gzipSync(RDB.subarray(0, 1000)),
      zlib.gzipSync(RDB.subarray(1000)),
    ]);
    expect(await runRdb(['check', made('two.gz', two)])).toMatchObject({ code: 0, out: WHOLE });
  });

  test('cut off or damaged: an error with an offset', async () => {
    const cut = await runRdb(['check', made('cut.gz', packed.subarray(0, packed.length - 200))]);
    expect(cut.code).toBe(1);
    expect(cut.err).toMatch(/damaged at offset \d+.*: unexpected end of file/);
    // so short that it fails before anybody reads; what there is of it is read all the same
    const head = made('head.gz', zlib.gzipSync(RDB.subarray(0, 300)).subarray(0, -4));
    const plain = made('head.rdb', RDB.subarray(0, 300));
    expect(await runRdb(['keys', head])).toEqual(await runRdb(['keys', plain]));
    const broken = Buffer.from(packed);
    broken.fill(0xff, 40, 60);
    const damaged = await runRdb(['check', made('broken.gz', broken)]);
    expect(damaged.code).toBe(1);
    expect(damaged.err).toMatch(/damaged at offset \d+: the gzip data is damaged: /);
  });

  test('zstd, where Node.js has it; elsewhere it says so', async () => {
    const compress = (zlib as { zstdCompressSync?: (bytes: Uint8Array) => Uint8Array })
      .zstdCompressSync;
    const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]);
    const path = made('dump.zst', compress?.(RDB) ?? head);
    const { code, out, err } = await runRdb(['check', path]);
    if (compress !== undefined) expect([code, out]).toEqual([0, WHOLE]);
    else expect([code, err]).toEqual([3, expect.stringContaining('zstd is not part of Node.js')]);
  });
});

describe('append-only files', () => {
  const commands = Buffer.from('*1\r\n$4\r\nPING\r\n');

  test('with an RDB in front: that is read, and the rest is told of', async () => {
    const path = made('appendonly.aof', Buffer.concat([RDB, commands]));
    const { code, out, err } = await runRdb(['check', path]);
    expect([code, out]).toEqual([0, WHOLE]);
    expect(err).toContain('14 bytes behind the RDB were not read');
    expect((await runRdb(['check', '--quiet', path])).err).toBe('');
  });

  test.each([
    ['stats'],
    ['top'],
    ['keys'],
    ['resp'],
    ['filter'],
    ['convert', '--rdb-version', '9'],
    ['merge', '-o', '/dev/null'],
    ['split', '--by-db', '-o', join(dir, 'part-{}')],
    ['diff', FILE],
  ])('%s tells of it too, once, also of what is packed', async (...args) => {
    const bytes = Buffer.concat([RDB, commands]);
    for (const [name, how] of [
      [made('plain.aof', bytes), '14 bytes behind the RDB were not read'],
      [made('packed.aof', zlib.gzipSync(bytes)), 'what stands behind the RDB was not read'],
    ]) {
      const { code, err } = await runRdb([...args, name!]);
      expect(code).toBe(0);
      expect(err.split(`${how}: the commands of an append-only file\n`).length).toBe(2);
    }
  });

  test('what is no commands is not called so', async () => {
    for (const [rest, what] of [
      [RDB, 'another RDB begins there'],
      [Buffer.alloc(50), 'they are zero'],
      [Buffer.from('hello'), 'they are no commands of an append-only file'],
    ] as const) {
      const { err } = await runRdb(['check', made('more', Buffer.concat([RDB, rest]))]);
      expect(err).toBe(`respite: ${rest.length} bytes behind the RDB were not read: ${what}\n`);
    }
  });

  test('without one: it says so', async () => {
    const { code, err } = await runRdb(['check', made('plain.aof', commands)]);
    expect([code, err]).toEqual([3, expect.stringContaining('append-only file without an RDB')]);
  });

  test('of several parts: its base, and what follows is told of', async () => {
    const folder = join(dir, 'appendonlydir');
    mkdirSync(folder);
    const base = join(folder, 'appendonly.aof.1.base.rdb');
    cpSync(FILE, base);
    const line = 'file appendonly.aof.1.base.rdb seq 1 type b\n';
    const manifest = join(folder, 'appendonly.aof.manifest');
    writeFileSync(manifest, line);
    expect(await runRdb(['check', folder])).toMatchObject({ code: 0, out: WHOLE, err: '' });
    writeFileSync(manifest, `${line}file appendonly.aof.1.incr.aof seq 1 type i\n`);
    const missing = await runRdb(['check', folder]);
    expect(missing.err).toContain('appendonly.aof.1.incr.aof, which follows the RDB, is missing');
    writeFileSync(join(folder, 'appendonly.aof.1.incr.aof'), commands);
    const { code, out, err } = await runRdb(['check', folder]);
    expect([code, out]).toEqual([0, WHOLE]);
    const name = 'appendonly.aof.1.incr.aof';
    expect(err).toBe(`respite: 14 bytes of commands in ${name} were not read\n`);
    rmSync(base);
    const without = await runRdb(['check', folder]);
    expect([without.code, without.err]).toEqual([
      3,
      expect.stringContaining('its base file appendonly.aof.1.base.rdb: no such file'),
    ]);
  });
});

describe('live servers', () => {
  let server: Server;
  const ask = async (...words: string[]): Promise<unknown> => {
    const connection = await server.connect();
    try {
      return await connection.call(...words);
    } finally {
      connection.close();
    }
  };

  beforeAll(async () => {
    server = await startServer('redis', { directives: { 'repl-diskless-sync-delay': 0 } });
    await ask('DEBUG', 'POPULATE', '20000', 'key', '50');
  });
  afterAll(() => server.stop());

  test.each(['yes', 'no'])('diskless %s', async (diskless) => {
    await ask('CONFIG', 'SET', 'repl-diskless-sync', diskless);
    const { code, out, err } = await runRdb(['check', `redis://127.0.0.1:${server.port}`]);
    expect([code, out, err]).toEqual([0, 'RDB 10, 20000 keys, checksum right: whole\n', '']);
    // it goes as politely as it came
    expect(String(await ask('INFO', 'replication'))).toMatch(/connected_slaves:[01]\r/);
  });

  test('an ACL user, by URL and by environment; a wrong password', async () => {
    await ask('ACL', 'SETUSER', 'reader', 'on', '>s3cret', '+psync', '+replconf', '+ping');
    await ask('ACL', 'SETUSER', 'default', 'off');
    try {
      const at = `127.0.0.1:${server.port}`;
      expect((await runRdb(['check', `redis://reader:s3cret@${at}`])).code).toBe(0);
      const wrong = await runRdb(['check', `redis://reader:wrong@${at}`]);
      expect([wrong.code, wrong.err]).toEqual([3, expect.stringContaining('refused the user')]);
      expect(wrong.err).not.toContain('wrong');
      const none = await runRdb(['check', `redis://${at}`]);
      expect([none.code, none.err]).toEqual([3, expect.stringContaining('wants a password')]);
    } finally {
      const connection = await server.connect();
      await connection.call('AUTH', 'reader', 's3cret').catch(() => undefined);
      connection.close();
      await server.stop();
      server = await startServer('redis');
    }
  });

  test('nobody there: 3', async () => {
    const { code, err } = await runRdb(['check', `redis://127.0.0.1:${await freePort()}`]);
    expect([code, err]).toEqual([3, expect.stringContaining('ECONNREFUSED')]);
  });

  test.each([
    'redis://127.0.0.1:99999',
    'redis://:100%sure@127.0.0.1:7805',
    'redis://a#b:c@127.0.0.1',
    'redis://:pa/ss@127.0.0.1',
  ])('a URL that is none: 2, and what to do: %s', async (url) => {
    const { code, err } = await runRdb(['check', url]);
    expect([code, err]).toEqual([2, expect.stringContaining('a port up to 65535, and in user')]);
    expect(err).not.toMatch(/sure|ss@/);
  });
});

describe('TLS', () => {
  test('with an authority of ones own; without it the certificate is refused', async () => {
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject];
    execFileSync('openssl', [...make, '-keyout', key, '-out', cert], { stdio: 'pipe' });
    const port = await freePort();
    const server = await startServer('redis', {
      directives: {
        'tls-port': port,
        'tls-cert-file': cert,
        'tls-key-file': key,
        'tls-ca-cert-file': cert,
        'tls-auth-clients': 'no',
        'repl-diskless-sync-delay': 0,
      },
    });
    try {
      const url = `rediss://127.0.0.1:${port}`;
      const good = await runRdb(['check', url, '--tls-ca-cert-file', cert]);
      expect([good.code, good.err]).toEqual([0, '']);
      expect((await runRdb(['check', url, '--tls-insecure'])).code).toBe(0);
      const refused = await runRdb(['check', url]);
      expect([refused.code, refused.err]).toEqual([3, expect.stringContaining('certificate')]);
    } finally {
      await server.stop();
    }
  });
});

describe('what a server may do on the way', () => {
  const id = 'a'.repeat(40);

  async function against(
    answer: (say: (text: string | Buffer) => void, master: () => FakeMaster) => void,
  ) {
    const master: FakeMaster = await FakeMaster.start(
      friendly((_, say) => answer(say, () => master)),
    );
    try {
      const ran = await runRdb(['check', `redis://127.0.0.1:${master.port}`]);
      return { ...ran, master };
    } finally {
      master.close();
    }
  }

  test('empty lines while it prepares, before each answer', async () => {
    const { code, out } = await against((say) => {
      say(`\n\n+FULLRESYNC ${id} 1\r\n\n\n$${RDB.length}\r\n`);
      say(RDB);
    });
    expect([code, out]).toEqual([0, WHOLE]);
  });

  test('an end mark in pieces', async () => {
    const mark = 'm'.repeat(40);
    const { code, out } = await against((say) => {
      say(`+FULLRESYNC ${id} 1\r\n$EOF:${mark}\r\n`);
      say(RDB.subarray(0, 777));
      say(RDB.subarray(777));
      say(mark.slice(0, 11));
      setTimeout(() => say(mark.slice(11)), 20);
    });
    expect([code, out]).toEqual([0, WHOLE]);
  });

  test('the mark comes, but the RDB was not whole: damaged, and no waiting', async () => {
    const mark = 'm'.repeat(40);
    const { code, err } = await against((say) => {
      say(`+FULLRESYNC ${id} 1\r\n$EOF:${mark}\r\n`);
      say(Buffer.concat([RDB.subarray(0, 2000), Buffer.from(mark)]));
    });
    expect([code, err]).toEqual([1, expect.stringContaining('damaged at offset')]);
  });

  test('the connection breaks in the middle: 3', async () => {
    const { code, err } = await against((say, master) => {
      say(`+FULLRESYNC ${id} 1\r\n$${RDB.length}\r\n`);
      say(RDB.subarray(0, 2000));
      setTimeout(() => master().drop(), 50);
    });
    expect([code, err]).toEqual([3, expect.stringContaining('broke')]);
  });

  test.each([
    ['-ERR unknown command `PSYNC`, with args\r\n', 'SYNC'],
    ['-NOMASTERLINK no link\r\n', 'NOMASTERLINK'],
    ['-NOPERM this user\r\n', 'NOPERM'],
    ['+HELLO\r\n', 'HELLO'],
  ])('%s', async (line, what) => {
    const { code, err, master } = await against((say, own) => {
      say(line);
      if (what === 'SYNC')
        setTimeout(() => own().say(`$${RDB.length}\r\n${RDB.toString('latin1')}`), 50);
    });
    if (what === 'SYNC') expect([code, master.seen('SYNC').length]).toEqual([0, 1]);
    else expect([code, err]).toEqual([3, expect.stringContaining(what)]);
  });
});
