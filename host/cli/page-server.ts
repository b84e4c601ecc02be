// The HTTP server of `respite inspect`: the files of build/web, from memory, and the one file that
// was given, with ranges. Nothing else of the disk can be asked for, and nobody else may ask: the
// address in the Host header must be this machine's (a foreign page could otherwise reach it by a
// name that points here), and answers are for the page itself only.

import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import http from 'node:http';
import { type AddressInfo, isIP } from 'node:net';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { RespiteError } from '../errors.js';

/** Where the page finds the file. */
const FILE_PATH = '/file';
const PIECE_BYTES = 1 << 20;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
};

export interface PageServerOptions {
  /** build/web. */
  root: string;
  host: string;
  /** 0: any that is free. */
  port: number;
  /** The file the page opens. */
  file: string | undefined;
}

export interface PageServer {
  readonly url: string;
  close(): Promise<void>;
}

interface Asset {
  type: string;
  body: Buffer;
}

interface GivenFile {
  name: string;
  size: number;
  handle: FileHandle;
}

const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.codePointAt(0)};`);

/** The policy that the page has in its head, which must not be less strict than the server's. */
function policyOf(html: string): string {
  const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(html)?.[1];
  if (policy === undefined) throw new RespiteError('ERR_RESPITE_IO', 'the page has no policy');
  return `${policy}; frame-ancestors 'none'`;
}

/** With a file, the page may fetch from where it came, and is told the file's name. */
function withFile(html: string, file: GivenFile | undefined): string {
  if (file === undefined) return html;
  const meta = `<meta name="respite-file" content="${escapeHtml(file.name)}" data-path="file">`;
  const open = html.replace("connect-src 'none'", "connect-src 'self'");
  return open.replace('<title>', () => `${meta}<title>`);
}

async function loadAssets(root: string, file: GivenFile | undefined) {
  const assets = new Map<string, Asset>();
  const names = await readdir(root, { recursive: true }).catch((cause: unknown) => {
    const text = `The page has not been built: ${root} is missing (npm run build)`;
    throw new RespiteError('ERR_RESPITE_IO', text, { cause, details: { path: root } });
  });
  for (const name of names) {
    const type = TYPES[path.extname(name)];
    if (type === undefined) continue;
    const body = await readFile(path.join(root, name));
    assets.set(`/${name.split(path.sep).join('/')}`, { type, body });
  }
  const index = assets.get('/index.html');
  if (index === undefined) {
    throw new RespiteError('ERR_RESPITE_IO', `${root} has no page`, { details: { path: root } });
  }
  const html = withFile(index.body.toString('utf8'), file);
  assets.set('/', { ...index, body: Buffer.from(html) });
  assets.delete('/index.html');
  return { assets, policy: policyOf(html) };
}

async function openGiven(file: string): Promise<GivenFile> {
  const failed = (cause: unknown): never => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new RespiteError('ERR_RESPITE_IO', reason, { cause, details: { path: file } });
  };
  const handle = await open(file, 'r').catch(failed);
  const stat = await handle.stat();
  if (stat.isFile()) return { name: path.basename(file), size: stat.size, handle };
  await handle.close();
  return failed(`${file} is no file`);
}

/** `bytes=from-`, `bytes=from-to`, `bytes=-last`; undefined: cannot be served. */
function rangeOf(header: string, size: number): { from: number; to: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header);
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const isLast = match[1] === '';
  const from = isLast ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const to = isLast || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  return from <= to && from < size ? { from, to } : undefined;
}

function sendFile(request: http.IncomingMessage, response: http.ServerResponse, file: GivenFile) {
  const { size, handle } = file;
  const { range: wanted } = request.headers;
  const range = wanted === undefined ? { from: 0, to: size - 1 } : rangeOf(wanted, size);
  const head = { 'content-type': 'application/octet-stream', 'accept-ranges': 'bytes' };
  if (range === undefined) {
    response.writeHead(416, { ...head, 'content-range': `bytes */${size}` }).end();
    return;
  }
  const { from, to } = range;
  const part = { 'content-range': `bytes ${from}-${to}/${size}` };
  const length = { 'content-length': to - from + 1 };
  response.writeHead(wanted === undefined ? 200 : 206, {
    ...{ ...head, ...length },
    ...(wanted === undefined ? {} : part),
  });
  if (request.method === 'HEAD' || size === 0) {
    response.end();
    return;
  }
  // a reader that goes away is no error, and one that is slow is waited for
  pipeline(Readable.from(pieces(handle, from, to)), response).catch(() => response.destroy());
}

async function* pieces(handle: FileHandle, from: number, to: number): AsyncGenerator<Buffer> {
  for (let at = from; at <= to; ) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, to - at + 1));
    const { bytesRead } = await handle.read(piece, 0, piece.length, at);
    if (bytesRead === 0) throw new Error('the file was cut');
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** Whether a Host header names this machine, not a name that somebody else may point at it. */
function isOwnHost(header: string | undefined, host: string): boolean {
  const name = (header ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return name === 'localhost' || name === host || isIP(name) !== 0;
}

/** Starts the server; the page is at `url`. Rejects with ERR_RESPITE_IO or ERR_RESPITE_LISTEN. */
export async function servePage(options: PageServerOptions): Promise<PageServer> {
  const { root, host, port } = options;
  const file = options.file === undefined ? undefined : await openGiven(options.file);
  const { assets, policy } = await loadAssets(root, file);
  const server = http.createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    response.setHeader('content-security-policy', policy);
    const say = (code: number) => response.writeHead(code, { 'content-length': 0 }).end();
    if (!isOwnHost(request.headers.host, host)) return say(421);
    if (request.method !== 'GET' && request.method !== 'HEAD') return say(405);
    const { url = '/' } = request;
    // `//` and the like
    if (!URL.canParse(url, 'http://localhost')) return say(400);
    const { pathname } = new URL(url, 'http://localhost');
    if (pathname === FILE_PATH && file !== undefined) return sendFile(request, response, file);
    const asset = assets.get(pathname);
    if (asset === undefined) return say(404);
    response.writeHead(200, { 'content-type': asset.type, 'content-length': asset.body.length });
    return response.end(request.method === 'HEAD' ? undefined : asset.body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const address = `${host}:${port}`;
      const text = `${address}: ${cause.message}`;
      reject(new RespiteError('ERR_RESPITE_LISTEN', text, { cause, details: { address } }));
    });
    server.listen(port, host, resolve);
  });
  const { address, family, port: bound } = server.address() as AddressInfo;
  const name = family === 'IPv6' ? `[${address}]` : address;
  return {
    url: `http://${name}:${bound}/`,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await file?.handle.close();
    },
  };
}
