// Real sockets against the Node platform: the zero-copy read path, writes that the kernel does not
// take at once, and every way a connection can end.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createNodePlatform } from '../../../host/platform/node.js';
import type {
  Connection,
  ConnectionHandlers,
  Listener,
  ListenOptions,
  TlsOptions,
} from '../../../host/platform/platform.js';

const reported: unknown[] = [];
const platform = createNodePlatform({ onHandlerError: (error) => reported.push(error) });
const listeners: Listener[] = [];
let dir = '';

beforeAll(() => {
  dir = fs.mkdtempSync(path.join(os.tmpdir(), 'respite-net-'));
});

afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
  expect(reported.splice(0)).toEqual([]);
});

async function listen(
  onConnection: (connection: Connection) => void,
  options: ListenOptions = {},
): Promise<Listener> {
  const listener = await platform.net.listen({ port: 0, ...options }, onConnection);
  listeners.push(listener);
  return listener;
}

/** A view of linear memory that will never move, as the server uses it. */
function sharedBuffer(size = 65536): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16 });
  return new Uint8Array(memory.buffer, 4096, size);
}

interface Watched {
  closed: Promise<Error | undefined>;
  handlers: ConnectionHandlers;
}

function watch(
  buffer: ConnectionHandlers['buffer'],
  onRead: (n: number) => void,
  more: Partial<ConnectionHandlers> = {},
): Watched {
  let done: (error?: Error) => void = () => {};
  const closed = new Promise<Error | undefined>((resolve) => {
    done = resolve;
  });
  return { closed, handlers: { buffer, onRead, onClose: done, ...more } };
}

function collect(socket: net.Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks)));
  });
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean): Promise<void> {
  const limit = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > limit) throw new Error('condition never came true');
    await sleep(5);
  }
}

describe('plain sockets', () => {
  test('10,000 small messages are echoed through linear memory', async () => {
    const buffer = sharedBuffer();
    let completed = 0;
    let held = 0;
    const listener = await listen((connection) => {
      const { handlers } = watch(buffer, (n) => {
        // The buffer is shared: what the kernel did not take must be copied by its owner.
        if (connection.write(buffer.slice(0, n))) completed++;
        else held++;
      });
      connection.start(handlers);
    });
    const client = net.connect({ port: listener.address.port, noDelay: true });
    const received = collect(client);
    let expected = '';
    for (let i = 0; i < 10_000; i++) {
      const message = `message ${i}\r\n`;
      expected += message;
      client.write(message);
      if (i % 100 === 0) await sleep(0);
    }
    client.end();
    expect((await received).toString()).toBe(expected);
    expect(completed).toBeGreaterThan(0);
    expect(held).toBe(0);
  });

  test('one buffer serves two connections without mixing', async () => {
    const buffer = sharedBuffer(1024);
    const seen = new Map<string, Buffer[]>();
    const listener = await listen((connection) => {
      const chunks: Buffer[] = [];
      seen.set(connection.remoteAddress, chunks);
      connection.start(watch(buffer, (n) => chunks.push(Buffer.from(buffer.slice(0, n)))).handlers);
    });
    const sent = ['a', 'b'].map((letter) => letter.repeat(3_000_000));
    const clients = sent.map((text) => {
      const client = net.connect({ port: listener.address.port });
      client.on('error', () => {});
      client.end(text);
      client.resume();
      return client;
    });
    await Promise.all(clients.map((client) => new Promise((done) => client.once('close', done))));
    const got = [...seen.values()].map((chunks) => Buffer.concat(chunks).toString()).sort();
    expect(got.map((text) => text.length)).toEqual([3_000_000, 3_000_000]);
    expect(got[0] === sent[0] && got[1] === sent[1]).toBe(true);
  });

  test('a slow reader: false, onFlushed once per write in order, then onDrain', async () => {
    const flushed: number[] = [];
    let drains = 0;
    let refused = 0;
    let connection: Connection | undefined;
    const listener = await listen((accepted) => {
      connection = accepted;
      accepted.start(watch(sharedBuffer(), () => {}, { onDrain: () => drains++ }).handlers);
    });
    const client = net.connect({ port: listener.address.port });
    client.pause();
    await until(() => connection !== undefined);
    const sent: Buffer[] = [];
    for (let i = 0; i < 40; i++) {
      const block = Buffer.alloc(1_000_000, i);
      sent.push(block);
      if (!connection!.write(block, () => flushed.push(i))) refused++;
    }
    expect(refused).toBeGreaterThan(0);
    expect(connection!.pendingBytes).toBeGreaterThan(0);
    expect(flushed).toEqual([]);
    const received = collect(client);
    client.resume();
    await until(() => drains === 1);
    expect(connection!.pendingBytes).toBe(0);
    const first = 40 - refused;
    expect(flushed).toEqual(Array.from({ length: refused }, (_, i) => first + i));
    connection!.end();
    expect((await received).equals(Buffer.concat(sent))).toBe(true);
  });

  test('end() delivers everything pending before it closes', async () => {
    const block = Buffer.alloc(20_000_000, 'x');
    const closed: Array<Promise<Error | undefined>> = [];
    const listener = await listen((connection) => {
      const watched = watch(sharedBuffer(), () => {});
      closed.push(watched.closed);
      connection.start(watched.handlers);
      connection.write(block);
      connection.end();
      expect(connection.isClosing).toBe(true);
      expect(connection.write(Buffer.from('late'))).toBe(true);
    });
    const received = await collect(net.connect({ port: listener.address.port }));
    expect(received.length).toBe(block.length);
    expect(await closed[0]).toBeUndefined();
  });

  test('a reply before end() survives input that nobody reads any more', async () => {
    const listener = await listen((connection) => {
      const { handlers } = watch(sharedBuffer(), () => {
        connection.write(Buffer.from('-ERR Protocol error\r\n'));
        connection.end();
      });
      connection.start(handlers);
    });
    const client = net.connect({ port: listener.address.port });
    client.write(Buffer.alloc(5_000_000));
    expect((await collect(client)).toString()).toBe('-ERR Protocol error\r\n');
  });

  test('half close: the replies still arrive', async () => {
    const buffer = sharedBuffer();
    const listener = await listen((connection) => {
      let total = 0;
      const { handlers } = watch(
        buffer,
        (n) => {
          total += n;
        },
        {
          onEnd: () => {
            connection.write(Buffer.from(`got ${total}`));
            connection.end();
          },
        },
      );
      connection.start(handlers);
    });
    const client = net.connect({ port: listener.address.port, allowHalfOpen: true });
    client.end('12345');
    expect((await collect(client)).toString()).toBe('got 5');
  });

  test('without onEnd a half close ends the connection after the replies', async () => {
    const buffer = sharedBuffer();
    let closed: Promise<Error | undefined> | undefined;
    const listener = await listen((connection) => {
      const watched = watch(buffer, () => connection.write(Buffer.from('+PONG\r\n')));
      closed = watched.closed;
      connection.start(watched.handlers);
    });
    const client = net.connect({ port: listener.address.port, allowHalfOpen: true });
    const received = collect(client);
    client.end('PING\r\n');
    expect((await received).toString()).toBe('+PONG\r\n');
    expect(await closed).toBeUndefined();
  });

  test('RST arrives as an error in onClose, and held writes are flushed once', async () => {
    let connection: Connection | undefined;
    const watched = watch(sharedBuffer(), () => {});
    const order: string[] = [];
    void watched.closed.then(() => order.push('close'));
    const listener = await listen((accepted) => {
      connection = accepted;
      accepted.start(watched.handlers);
    });
    const client = net.connect({ port: listener.address.port });
    client.pause();
    await until(() => connection !== undefined);
    expect(connection!.write(Buffer.alloc(30_000_000), () => order.push('flushed'))).toBe(false);
    client.resetAndDestroy();
    const error = await watched.closed;
    expect((error as NodeJS.ErrnoException).code).toMatch(/ECONNRESET|EPIPE/);
    await sleep(10);
    expect(order).toEqual(['flushed', 'close']);
    expect(connection!.write(Buffer.from('x'))).toBe(true);
  });

  test('destroy() with pending writes: onFlushed once, then onClose', async () => {
    const order: string[] = [];
    const listener = await listen((connection) => {
      const { handlers } = watch(sharedBuffer(), () => {}, { onClose: () => order.push('close') });
      connection.start(handlers);
      connection.write(Buffer.alloc(30_000_000), () => order.push('flushed'));
      connection.destroy();
      expect(order).toEqual([]);
    });
    const client = net.connect({ port: listener.address.port });
    client.on('error', () => {});
    client.pause();
    await until(() => order.length === 2);
    expect(order).toEqual(['flushed', 'close']);
    client.destroy();
  });

  test('pauseReads holds bytes back, resumeReads delivers them', async () => {
    const buffer = sharedBuffer(4096);
    let total = 0;
    let connection: Connection | undefined;
    const listener = await listen((accepted) => {
      connection = accepted;
      const { handlers } = watch(buffer, (n) => {
        total += n;
        accepted.pauseReads();
      });
      accepted.start(handlers);
    });
    const client = net.connect({ port: listener.address.port });
    client.write(Buffer.alloc(10_000));
    await until(() => total > 0);
    await sleep(30);
    expect(total).toBe(4096);
    connection!.resumeReads();
    await until(() => total > 4096);
    await sleep(30);
    expect(total).toBe(8192);
    connection!.resumeReads();
    await until(() => total === 10_000);
    client.destroy();
  });

  test('a buffer given as a function works with pause in the middle of a chunk', async () => {
    const buffer = new Uint8Array(1000);
    const chunks: Buffer[] = [];
    let connection: Connection | undefined;
    let ended = false;
    const listener = await listen((accepted) => {
      connection = accepted;
      const { handlers } = watch(
        () => buffer,
        (n) => {
          chunks.push(Buffer.from(buffer.slice(0, n)));
          accepted.pauseReads();
        },
        {
          onEnd: () => {
            ended = true;
            accepted.end();
          },
        },
      );
      accepted.start(handlers);
    });
    const text = Array.from({ length: 2000 }, (_, i) => `${i},`).join('');
    const client = net.connect({ port: listener.address.port });
    client.resume();
    client.end(text);
    let resumes = 0;
    while (!ended && resumes++ < 100) {
      await sleep(2);
      connection?.resumeReads();
    }
    expect(Buffer.concat(chunks).toString()).toBe(text);
  });

  test('a handler that throws closes its own connection only', async () => {
    const buffer = sharedBuffer();
    const errors: Array<Error | undefined> = [];
    const listener = await listen((connection) => {
      connection.start({
        buffer,
        onRead: (n) => {
          if (buffer[0] === 33) throw new Error('planted');
          connection.write(buffer.slice(0, n));
        },
        onClose: (error) => errors.push(error),
      });
    });
    const good = net.connect({ port: listener.address.port });
    const bad = net.connect({ port: listener.address.port });
    const goodBytes = collect(good);
    const badBytes = collect(bad).catch(() => Buffer.alloc(0));
    bad.write('!');
    await badBytes;
    good.end('fine');
    expect((await goodBytes).toString()).toBe('fine');
    expect(errors[0]?.message).toBe('planted');
  });

  test('addresses are printed as Redis prints them', async () => {
    const seen: string[] = [];
    const hosts: string[] = [];
    const accept = (connection: Connection): void => {
      seen.push(connection.remoteAddress, connection.localAddress);
      hosts.push(connection.remoteHost);
      connection.destroy();
    };
    const four = await listen(accept);
    const client = await platform.net.connect({ port: four.address.port });
    await until(() => seen.length === 2);
    expect(seen).toEqual([client.localAddress, client.remoteAddress]);
    expect(seen[1]).toBe(`127.0.0.1:${four.address.port}`);
    client.destroy();
    if (
      !Object.values(os.networkInterfaces())
        .flat()
        .some((one) => one?.address === '::1')
    )
      return;
    const six = await listen(accept, { host: '::1' });
    const other = await platform.net.connect({ host: '::1', port: six.address.port });
    await until(() => seen.length === 4);
    expect(seen[3]).toBe(`[::1]:${six.address.port}`);
    expect(hosts).toEqual(['127.0.0.1', '::1']);
    other.destroy();
  });

  test('write and end before start, and a start after the close', async () => {
    let connection: Connection | undefined;
    const listener = await listen((accepted) => {
      connection = accepted;
      accepted.write(Buffer.from('-ERR max number of clients reached\r\n'));
      accepted.end();
    });
    const client = net.connect({ port: listener.address.port });
    client.write('PING\r\n');
    expect((await collect(client)).toString()).toContain('max number of clients');
    await sleep(20);
    const watched = watch(sharedBuffer(), () => {});
    connection!.start(watched.handlers);
    expect(await watched.closed).toBeUndefined();
  });

  test('the listener closes at once although connections stay', async () => {
    let connection: Connection | undefined;
    const buffer = sharedBuffer();
    const listener = await listen((accepted) => {
      connection = accepted;
      accepted.start(watch(buffer, (n) => accepted.write(buffer.slice(0, n))).handlers);
    });
    const client = net.connect({ port: listener.address.port });
    await until(() => connection !== undefined);
    await listener.close();
    await expect(platform.net.connect({ port: listener.address.port })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    const received = collect(client);
    client.end('still here');
    expect((await received).toString()).toBe('still here');
    const again = await listen(() => {}, { port: listener.address.port });
    await expect(listen(() => {}, { port: again.address.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});

describe('outgoing connections', () => {
  test('bytes sent before start are not lost, and land in the buffer', async () => {
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.write('hello');
      socket.on('data', (data) => socket.end(`<${data}>`));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as net.AddressInfo;
    const connection = await platform.net.connect({ port, timeoutMs: 1000 });
    await sleep(50);
    const buffer = sharedBuffer();
    let text = '';
    const watched = watch(buffer, (n) => {
      text += Buffer.from(buffer.slice(0, n)).toString();
      if (text === 'hello') connection.write(Buffer.from('world'));
    });
    connection.start(watched.handlers);
    expect(await watched.closed).toBeUndefined();
    expect(text).toBe('hello<world>');
    server.close();
  });

  test('timeouts and aborts reject', async () => {
    const server = net.createServer(() => {}); // never answers a TLS hello
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as net.AddressInfo;
    await expect(platform.net.connect({ port, timeoutMs: 50, tls: {} })).rejects.toMatchObject({
      code: 'ETIMEDOUT',
    });
    const abort = new AbortController();
    const attempt = platform.net.connect({ port, tls: {}, signal: abort.signal });
    abort.abort();
    await expect(attempt).rejects.toMatchObject({ code: 'ABORT_ERR' });
    server.close();
  });
});

describe('unix sockets', () => {
  test('permissions, stale files, and removal on close', async () => {
    const file = path.join(dir, 'a.sock');
    // A process that dies without cleaning up leaves the file behind.
    const script = `require('net').createServer().listen(${JSON.stringify(file)}, () => {
      process.kill(process.pid, 'SIGKILL');
    })`;
    expect(() => execFileSync(process.execPath, ['-e', script], { stdio: 'ignore' })).toThrow();
    expect(fs.existsSync(file)).toBe(true);
    const buffer = sharedBuffer();
    const seen: string[] = [];
    const listener = await listen(
      (connection) => {
        expect(connection.isUnix).toBe(true);
        seen.push(connection.remoteAddress);
        connection.start(watch(buffer, (n) => connection.write(buffer.slice(0, n))).handlers);
      },
      { path: file, unixPerm: 0o700 },
    );
    expect(fs.statSync(file).mode & 0o777).toBe(0o700);
    const client = net.connect({ path: file });
    const received = collect(client);
    client.end('over unix');
    expect((await received).toString()).toBe('over unix');
    expect(seen).toEqual([`${file}:0`]);
    await expect(listen(() => {}, { path: file })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(fs.existsSync(file)).toBe(true);
    await listener.close();
    expect(fs.existsSync(file)).toBe(false);
    fs.writeFileSync(file, 'not a socket');
    await expect(listen(() => {}, { path: file })).rejects.toThrow('not a socket');
    expect(fs.readFileSync(file, 'utf8')).toBe('not a socket');
  });
});

describe('TLS', () => {
  let good: TlsOptions = {};
  const pki = (name: string): string => path.join(dir, name);

  beforeAll(() => {
    const openssl = (...args: string[]): void => {
      execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
    };
    for (const ca of ['ca', 'other']) {
      openssl(
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', `${ca}.key`, '-out', `${ca}.crt`, '-days', '2', '-subj', `/CN=${ca}`],
      );
    }
    fs.writeFileSync(pki('san.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    for (const [name, ca] of [
      ['server', 'ca'],
      ['client', 'ca'],
      ['stranger', 'other'],
    ] as const) {
      openssl(
        ...['req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
        ...['-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`],
      );
      openssl(
        ...['x509', '-req', '-in', `${name}.csr`, '-CA', `${ca}.crt`, '-CAkey', `${ca}.key`],
        ...['-CAcreateserial', '-out', `${name}.crt`, '-days', '2', '-extfile', 'san.ext'],
      );
    }
    good = { certFile: pki('server.crt'), keyFile: pki('server.key'), caCertFile: pki('ca.crt') };
  });

  function echoTls(options: TlsOptions, buffer = sharedBuffer(1000)): Promise<Listener> {
    return listen(
      (connection) => {
        expect(connection.isTls).toBe(true);
        connection.start(watch(buffer, (n) => connection.write(buffer.slice(0, n))).handlers);
      },
      { tls: options },
    );
  }

  async function talk(listener: Listener, options: TlsOptions, text: string): Promise<string> {
    const connection = await platform.net.connect({
      port: listener.address.port,
      tls: options,
      timeoutMs: 3000,
    });
    const buffer = new Uint8Array(777);
    let got = '';
    const watched = watch(buffer, (n) => {
      got += Buffer.from(buffer.slice(0, n)).toString();
      if (got.length === text.length) connection.end();
    });
    connection.start(watched.handlers);
    connection.write(Buffer.from(text));
    const error = await watched.closed;
    if (error !== undefined) throw error;
    return got;
  }

  /** Whether the refused side sees an alert or only the end is a matter of timing. */
  async function expectSilence(answer: Promise<string>): Promise<void> {
    expect(await answer.catch(() => '')).toBe('');
  }

  test('bytes go both ways in pieces, through a buffer smaller than a record', async () => {
    const listener = await echoTls({ ...good, authClients: 'no' });
    const text = Array.from({ length: 50_000 }, (_, i) => `${i} `).join('');
    expect(await talk(listener, { caCertFile: pki('ca.crt') }, text)).toBe(text);
  });

  test('client certificates: yes, optional, and the wrong ones', async () => {
    const own = { certFile: pki('client.crt'), keyFile: pki('client.key') };
    const wrong = { certFile: pki('stranger.crt'), keyFile: pki('stranger.key') };
    const client: TlsOptions = { caCertFile: pki('ca.crt') };
    const strict = await echoTls(good);
    expect(await talk(strict, { ...client, ...own }, 'hi')).toBe('hi');
    await expect(talk(strict, client, 'hi')).rejects.toThrow();
    await expectSilence(talk(strict, { ...client, ...wrong }, 'hi'));
    const optional = await echoTls({ ...good, authClients: 'optional' });
    expect(await talk(optional, client, 'hi')).toBe('hi');
    expect(await talk(optional, { ...client, ...own }, 'hi')).toBe('hi');
    await expectSilence(talk(optional, { ...client, ...wrong }, 'hi'));
  });

  test('the peer is verified unless told otherwise; TLS below 1.2 is refused', async () => {
    const listener = await echoTls({ ...good, authClients: 'no' });
    await expect(talk(listener, {}, 'hi')).rejects.toThrow(/certificate/);
    await expect(talk(listener, { caCertFile: pki('other.crt') }, 'hi')).rejects.toThrow(
      /certificate/,
    );
    await expect(
      talk(listener, { caCertFile: pki('ca.crt'), servername: 'elsewhere' }, 'hi'),
    ).rejects.toThrow(/altnames/);
    expect(await talk(listener, { rejectUnauthorized: false }, 'hi')).toBe('hi');
    await expect(
      talk(listener, { caCertFile: pki('ca.crt'), protocols: 'TLSv1.1' }, 'hi'),
    ).rejects.toThrow();
  });

  test('garbage and half handshakes harm nobody', async () => {
    const listener = await echoTls({ ...good, authClients: 'no' });
    for (let i = 0; i < 20; i++) {
      const raw = net.connect({ port: listener.address.port });
      raw.on('error', () => {});
      raw.write(i % 2 === 0 ? 'PING\r\n' : Buffer.from([22, 3, 1, 2, 0, 1]));
      if (i % 4 === 3) setTimeout(() => raw.resetAndDestroy(), 5);
      else setTimeout(() => raw.destroy(), 20);
    }
    await sleep(60);
    expect(await talk(listener, { caCertFile: pki('ca.crt') }, 'hi')).toBe('hi');
  });

  test('RST and a throwing handler end in onClose', async () => {
    const errors: Array<Error | undefined> = [];
    const buffer = new Uint8Array(100);
    const listener = await listen(
      (connection) => {
        connection.start({
          buffer,
          onRead: () => {
            throw new Error('planted');
          },
          onClose: (error) => errors.push(error),
        });
      },
      { tls: { ...good, authClients: 'no' } },
    );
    const options = { port: listener.address.port, ca: fs.readFileSync(pki('ca.crt')) };
    const one = tls.connect(options, () => one.write('x'));
    one.on('error', () => {});
    await until(() => errors.length === 1);
    expect(errors[0]?.message).toBe('planted');
    const raw = net.connect({ port: listener.address.port });
    const two = tls.connect({ socket: raw, ca: options.ca, servername: 'localhost' }, () => {
      setTimeout(() => raw.resetAndDestroy(), 20);
    });
    two.on('error', () => {});
    await until(() => errors.length === 2);
  });

  test('more clients than may shake hands at once, one after the other', async () => {
    const listener = await echoTls({ ...good, authClients: 'no' });
    for (let i = 0; i < 30; i++) {
      expect(await talk(listener, { caCertFile: pki('ca.crt') }, 'hi')).toBe('hi');
    }
    listener.setTls({ ...good, authClients: 'no', protocols: 'TLSv1.3' });
    expect(await talk(listener, { caCertFile: pki('ca.crt') }, 'hi')).toBe('hi');
    await expect(
      talk(listener, { caCertFile: pki('ca.crt'), protocols: 'TLSv1.2' }, 'hi'),
    ).rejects.toThrow();
    expect(() => listener.setTls({ certFile: '/nowhere' })).toThrow();
  });

  test('bad settings are refused before anything listens', async () => {
    await expect(echoTls({})).rejects.toThrow('tls-cert-file');
    await expect(echoTls({ certFile: good.certFile, keyFile: good.keyFile })).rejects.toThrow(
      'tls-ca-cert',
    );
    await expect(echoTls({ ...good, protocols: 'SSLv9' })).rejects.toThrow('SSLv9');
    await expect(echoTls({ ...good, keyFile: pki('client.key') })).rejects.toThrow();
  });
});
