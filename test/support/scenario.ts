// Scenarios: a script of commands on several named connections, and what each connection received
// after each step. The same script is run on two servers and the transcripts are compared.
//
//   a: SUBSCRIBE x            sends on connection a, opened when first named
//   a: MULTI; PING; EXEC      several commands in one write
//   ~a: UNSUBSCRIBE           the order of what is received does not count
//   &a: CLIENT GETREDIR       numbers that are the id of a connection are shown as its name
//   @resp3 a                  HELLO 3 on a, its answer not shown
//   @close a                  closes a and waits until the server has noticed
//   @await a 2                waits for two frames on a, besides what arrived before
//   @until CMD => :1          repeats a command aside until its reply is shown so
//   %id(b)                    in a command: the id of connection b
//
// No step depends on time: after each one a PING with a token goes to every connection, and what
// comes before its answer was caused by the step. Not while a connection collects a transaction
// (then as many replies as commands are read) or is silent after CLIENT REPLY OFF (then nothing).

import { encodeCommand, show, splitArgs } from './bytes.js';
import { RawConnection } from './connection.js';
import { waitFor } from './wait.js';

interface Peer {
  name: string;
  connection: RawConnection;
  id: number;
  inMulti: boolean;
  isSilent: boolean;
}

const TOKEN = 'sync-token';
const MONITOR_LINE = /^\+\d+\.\d{6} \[(\d+) ([^\]]*)\] /;

/** Runs a script and gives its transcript, line by line. */
export async function runScenario(port: number, script: string): Promise<string[]> {
  const run = new ScenarioRun(port);
  try {
    for (const line of script.split('\n')) {
      const text = line.trim();
      if (text !== '' && !text.startsWith('#')) await run.step(text);
    }
  } finally {
    run.close();
  }
  return run.transcript;
}

class ScenarioRun {
  readonly transcript: string[] = [];
  readonly #port: number;
  readonly #peers = new Map<string, Peer>();
  #aside: RawConnection | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  close(): void {
    this.#aside?.close();
    for (const { connection } of this.#peers.values()) connection.close();
  }

  async step(text: string): Promise<void> {
    this.transcript.push(text);
    if (text.startsWith('@')) {
      const [name, rest] = [/^@(\S+)/.exec(text)![1]!, text.replace(/^@\S+\s*/, '')];
      await this.#directive(name, rest);
      return;
    }
    const parts = /^([~&]*)(\w+):\s*(.*)$/s.exec(text);
    if (parts === null) throw new Error(`cannot read the step: ${text}`);
    const [, flags, name, commands] = parts as unknown as [string, string, string, string];
    const peer = await this.#peer(name);
    const words = commands.split(/;\s+(?=[A-Z])/).map((one) => splitArgs(this.#ids(one)));
    peer.connection.send(Buffer.concat(words.map(encodeCommand)));
    const shown = await this.#settle(peer, words);
    if (flags.includes('~')) shown.sort();
    for (const line of shown) {
      this.transcript.push(flags.includes('&') ? this.#withoutIds(line) : line);
    }
  }

  async #directive(name: string, rest: string): Promise<void> {
    if (name === 'resp3') {
      await (await this.#peer(rest)).connection.command('HELLO', 3);
    } else if (name === 'close') {
      const peer = await this.#peer(rest);
      peer.connection.close();
      this.#peers.delete(rest);
      await this.#until(['CLIENT', 'LIST', 'ID', String(peer.id)], '$0\\r\\n\\r\\n');
      this.transcript.push(...(await this.#barriers()));
    } else if (name === 'await') {
      const [who, count] = rest.split(' ') as [string, string];
      const peer = await this.#peer(who);
      for (let n = Number(count); n > 0; n--) {
        this.transcript.push(this.#shown(peer, await peer.connection.reply()));
      }
    } else if (name === 'until') {
      const [command, wanted] = rest.split(' => ') as [string, string];
      await this.#until(splitArgs(this.#ids(command)), wanted);
    } else {
      throw new Error(`no directive @${name}`);
    }
  }

  async #until(command: readonly string[], wanted: string): Promise<void> {
    this.#aside ??= await RawConnection.open(this.#port);
    const aside = this.#aside;
    await waitFor(async () => show(await aside.command(...command)).startsWith(wanted), {
      what: `${command.join(' ')} to answer ${wanted}`,
    });
  }

  async #peer(name: string): Promise<Peer> {
    const known = this.#peers.get(name);
    if (known !== undefined) return known;
    const connection = await RawConnection.open(this.#port);
    const id = Number(await connection.call('CLIENT', 'ID'));
    const peer = { name, connection, id, inMulti: false, isSilent: false };
    this.#peers.set(name, peer);
    return peer;
  }

  #ids(text: string): string {
    return text.replace(/%id\((\w+)\)/g, (_, name: string) => {
      const peer = this.#peers.get(name);
      if (peer === undefined) throw new Error(`no connection ${name} yet`);
      return String(peer.id);
    });
  }

  #withoutIds(line: string): string {
    return line.replace(/\b\d+\b/g, (number) => {
      for (const peer of this.#peers.values()) if (String(peer.id) === number) return peer.name;
      return number;
    });
  }

  /** Everything that all connections received up to their barriers, the sender's first. */
  async #settle(peer: Peer, commands: readonly (readonly string[])[]): Promise<string[]> {
    const first: string[] = [];
    for (const words of commands) this.#note(peer, words);
    if (peer.inMulti) {
      for (let missing = commands.length; missing > 0; ) {
        const frame = await peer.connection.reply();
        if (frame === undefined || frame[0] !== 0x3e) missing--;
        first.push(this.#shown(peer, frame));
        if (frame?.toString('latin1').startsWith("-ERR Can't execute")) peer.inMulti = false;
      }
    }
    return [...first, ...(await this.#barriers(peer))];
  }

  #note(peer: Peer, words: readonly string[]): void {
    const text = words.join(' ').toUpperCase();
    if (text === 'MULTI') peer.inMulti = true;
    else if (/^(EXEC|DISCARD|RESET|QUIT)$/.test(text)) peer.inMulti = false;
    if (text === 'CLIENT REPLY OFF') peer.isSilent = true;
    else if (/^(CLIENT REPLY ON|RESET)$/.test(text)) peer.isSilent = false;
  }

  async #barriers(first?: Peer): Promise<string[]> {
    const peers = [...this.#peers.values()].filter((peer) => peer !== first);
    const out = first === undefined ? [] : await this.#barrier(first);
    for (const peer of peers) out.push(...(await this.#barrier(peer)));
    return out;
  }

  async #barrier(peer: Peer): Promise<string[]> {
    const { connection } = peer;
    const out: string[] = [];
    if (peer.inMulti || peer.isSilent || connection.isClosed) return out;
    connection.send(encodeCommand(['PING', TOKEN]));
    for (;;) {
      const frame = await connection.reply();
      const isPong = frame !== undefined && /^(\*2\r\n\$4\r\npong\r\n)?\$/.test(frame.toString());
      if (isPong && frame.includes(TOKEN)) return out;
      if (frame === undefined || !frame.includes(`"PING" "${TOKEN}"`)) {
        out.push(this.#shown(peer, frame));
      }
      if (frame === undefined) return out;
    }
  }

  #shown(peer: Peer, frame: Buffer | undefined): string {
    if (frame === undefined) return `  ${peer.name}< (closed)`;
    const text = show(frame).replace(MONITOR_LINE, (_, db: string, address: string) => {
      return `+TIME [${db} ${this.#nameOf(address)}] `;
    });
    return `  ${peer.name}< ${text}`;
  }

  #nameOf(address: string): string {
    for (const { name, connection } of this.#peers.values()) {
      if (address === `127.0.0.1:${connection.socket.localPort}`) return name;
    }
    return address;
  }
}
