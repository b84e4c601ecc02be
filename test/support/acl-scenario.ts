// Scenarios of users and connections: a script for several named connections and what each of
// them received. The same script runs on two servers and the transcripts are compared.
//
//   a: SET x 1        sends on connection a, opened when first named, and shows its answer
//   @gone a b         these connections are closed by the server (waits for it)
//   @here a b         the server still lists these and is not about to close them
//   @log              ACL LOG as lines, without what depends on time and place
//   @users            ACL LIST, single commands within rules sorted
//
// PING is of no use to see where an answer ends, since the users here may not say it: one command
// is sent at a time, and the number of its answers is known. `admin` is there from the start.

import { encodeCommand, show, splitArgs } from './bytes.js';
import { RawConnection } from './connection.js';
import { parseReply, type Reply } from './resp.js';

const SUBSCRIBE = /^[ps]?subscribe$/i;

export type NamedText = (text: string) => string;

/** Runs a script and gives its transcript; `tidy` is applied to every line shown. */
export async function runAclScenario(
  port: number,
  script: string,
  tidy: NamedText = (text) => text,
): Promise<string[]> {
  const run = new AclScenario(port, tidy);
  try {
    await run.peer('admin');
    for (const line of script.split('\n').map((one) => one.trim())) {
      if (line !== '' && !line.startsWith('#')) await run.step(line);
    }
  } finally {
    run.close();
  }
  return run.transcript;
}

interface Peer {
  connection: RawConnection;
  /** As CLIENT LIST shows it. */
  address: string;
}

class AclScenario {
  readonly transcript: string[] = [];
  readonly #port: number;
  readonly #tidy: NamedText;
  readonly #peers = new Map<string, Peer>();

  constructor(port: number, tidy: NamedText) {
    this.#port = port;
    this.#tidy = tidy;
  }

  close(): void {
    for (const { connection } of this.#peers.values()) connection.close();
  }

  async peer(name: string): Promise<Peer> {
    const known = this.#peers.get(name);
    if (known !== undefined) return known;
    const connection = await RawConnection.open(this.#port);
    const address = `addr=127.0.0.1:${connection.socket.localPort} `;
    const peer = { connection, address };
    this.#peers.set(name, peer);
    return peer;
  }

  async step(line: string): Promise<void> {
    this.transcript.push(line);
    const directive = /^@(\w+)\s*(.*)$/.exec(line);
    if (directive !== null) {
      await this.#directive(directive[1]!, directive[2]!.split(' '));
      return;
    }
    const [, name, text] = /^(\w+):\s*(.*)$/s.exec(line)!;
    const words = splitArgs(text!);
    const { connection } = await this.peer(name!);
    if (!connection.isClosed) connection.send(encodeCommand(words));
    const frame = await connection.reply();
    this.#show(frame);
    const isError = frame === undefined || frame[0] === 0x2d || frame[0] === 0x2b;
    if (isError || !SUBSCRIBE.test(words[0]!)) return;
    for (let more = words.length - 2; more > 0; more--) this.#show(await connection.reply());
  }

  async #directive(name: string, names: readonly string[]): Promise<void> {
    const { connection: admin } = await this.peer('admin');
    if (name === 'gone') {
      for (const who of names) {
        const { connection } = await this.peer(who);
        this.transcript.push(`  ${who} ${(await connection.closes(10_000)) ? 'gone' : 'HERE'}`);
      }
    } else if (name === 'here') {
      const list = String(await admin.call('CLIENT', 'LIST')).split('\n');
      for (const who of names) {
        const { address } = await this.peer(who);
        const line = list.find((one) => ` ${one}`.includes(` ${address}`));
        const isHere = line !== undefined && !/ flags=\S*A/.test(line);
        const user = / user=(\S*)/.exec(line ?? '')?.[1];
        this.transcript.push(`  ${who} ${isHere ? `here as ${user}` : 'GONE'}`);
      }
    } else if (name === 'log') {
      for (const line of logLines(await admin.command('ACL', 'LOG', 100))) this.#line(line);
    } else if (name === 'users') {
      const users = (await admin.call('ACL', 'LIST')) as string[];
      for (const user of users) this.#line(sortedRules(user));
    } else {
      throw new Error(`no directive @${name}`);
    }
  }

  #show(frame: Buffer | undefined): void {
    this.#line(frame === undefined ? '(closed)' : show(frame));
  }

  #line(text: string): void {
    this.transcript.push(`  ${this.#tidy(text)}`);
  }
}

/** Rules with their single commands in the order of the alphabet. */
export function sortedRules(text: string): string {
  return text.replace(/(?<=[+-]@\S+)( [+-][a-z][^ )]*)+/g, (run) => {
    return ` ${run.trim().split(' ').sort().join(' ')}`;
  });
}

/** The members of one entry of ACL LOG by name. */
export function logEntry(reply: Reply): Map<string, string> {
  const items = 'items' in reply ? reply.items : [];
  const texts = items.map((item) => {
    if ('text' in item) return item.text;
    return 'value' in item ? String(item.value) : '';
  });
  const pairs = texts.flatMap((name, i) => (i % 2 === 0 ? [[name, texts[i + 1]!] as const] : []));
  return new Map(pairs);
}

function logLines(raw: Buffer): string[] {
  const reply = parseReply(raw);
  const entries = 'items' in reply ? reply.items.map(logEntry) : [];
  return entries.map((entry) => {
    const names = ['count', 'reason', 'context', 'object', 'username'];
    const info = entry.get('client-info') ?? '';
    const seen = ['name', 'db', 'cmd', 'user', 'resp'].map(
      (field) => `${field}=${new RegExp(` ${field}=(\\S*)`).exec(info)?.[1]}`,
    );
    return [...names.map((name) => entry.get(name)), ...seen].join(' ');
  });
}
