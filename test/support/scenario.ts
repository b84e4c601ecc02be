// Scenarios: a script of commands on several named connections, and what each connection received
// after each step. The same script is run on two servers and the transcripts are compared.
//
//   a: SUBSCRIBE x            sends on connection a, opened when first named
//   a: MULTI; PING; EXEC      several commands in one write
//   ~a: UNSUBSCRIBE           the order of what is received does not count
//   &a: CLIENT GETREDIR       the id of a connection that is redirected to is shown as its name
//   >a: BLPOP k 0             waits until the server has blocked a. From then on each step also
//                             shows what a is answered, as soon as it is not blocked any more
//   >>a: BLPOP k 0            the same, but what a receives is awaited with @await only, until
//   @free a                   (the end of that)
//   ?a: BLPOP k 0             blocks or does not: the answer is shown if there is one
//   @resp3 a                  HELLO 3 on a, its answer not shown
//   @close a                  closes a and waits until the server has noticed
//   @await a 2                waits for two frames on a, besides what arrived before
//   @until CMD => :1          repeats a command aside until its reply is shown so
//   %id(b)                    in a command: the id of connection b
//   = b< +OK\r\n              behind a step: what respite must show where it differs from Redis,
//                             one line for each frame, with the reason in a comment
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
  /** As the server sees it. */
  address: string;
  inMulti: boolean;
  isSilent: boolean;
  /** Its end was shown. */
  isGone: boolean;
  /** Has a blocking command under way, whose reply comes by itself, or has to be awaited. */
  blocked: 'no' | 'auto' | 'manual';
}

const TOKEN = 'sync-token';
const MONITOR_LINE = /^\+\d+\.\d{6} \[(\d+) ([^\]]*)\] /;

/** A step with what was received after it, line by line. */
export interface StepResult {
  step: string;
  lines: string[];
}

/** Runs a script on one server. */
export async function runScenario(port: number, script: string): Promise<StepResult[]> {
  const run = new ScenarioRun(port);
  const out: StepResult[] = [];
  try {
    for (const { step } of stepsOf(script)) out.push({ step, lines: await run.step(step) });
  } finally {
    run.close();
  }
  return out;
}

/** What of a script's transcripts differs, as text; empty when nothing does. */
export async function compareScenario(
  oraclePort: number,
  subjectPort: number,
  script: string,
): Promise<string> {
  const [wanted, got] = await Promise.all([
    runScenario(oraclePort, script),
    runScenario(subjectPort, script),
  ]);
  const problems: string[] = [];
  for (const [i, { step, own }] of stepsOf(script).entries()) {
    const theirs = wanted[i]!.lines;
    const ours = got[i]!.lines;
    const same = (a: string[], b: string[]) => a.join('\n') === b.join('\n');
    if (own.length > 0 && same(theirs, own)) problems.push(`${step}\n  no difference any more`);
    else if (!same(own.length > 0 ? own : theirs, ours)) {
      const show = (who: string, lines: string[]) => lines.map((line) => `  ${who} ${line}`);
      problems.push([step, ...show('redis  ', theirs), ...show('respite', ours)].join('\n'));
    }
  }
  return problems.join('\n');
}

interface ScriptStep {
  step: string;
  /** What respite shows where it differs. */
  own: string[];
}

function stepsOf(script: string): ScriptStep[] {
  const steps: ScriptStep[] = [];
  for (const raw of script.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('= ')) steps.at(-1)!.own.push(line.slice(2));
    else steps.push({ step: line, own: [] });
  }
  return steps;
}

class ScenarioRun {
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

  async step(text: string): Promise<string[]> {
    if (text.startsWith('@')) {
      const [, name, rest] = /^@(\S+)\s*(.*)$/s.exec(text) as unknown as string[];
      return this.#directive(name!, rest!);
    }
    const parts = /^([~&>?]*)(\w+):\s*(.*)$/s.exec(text);
    if (parts === null) throw new Error(`cannot read the step: ${text}`);
    const [, flags, name, commands] = parts as unknown as [string, string, string, string];
    const peer = await this.#peer(name);
    const words = commands.split(/;\s+(?=[A-Z])/).map((one) => splitArgs(this.#ids(one)));
    const { bytesIn } = peer.connection;
    peer.connection.send(Buffer.concat(words.map(encodeCommand)));
    if (flags.includes('>')) {
      peer.blocked = flags.includes('>>') ? 'manual' : 'auto';
      await waitFor(() => this.#isBlocked(peer), { what: `${name} to be blocked` });
    }
    if (flags.includes('?')) {
      const isDone = async () => {
        if (await this.#isBlocked(peer)) peer.blocked = 'auto';
        return peer.blocked === 'auto' || peer.connection.bytesIn !== bytesIn;
      };
      await waitFor(isDone, { what: `${name} to be answered or blocked` });
    }
    const shown = await this.#settle(peer, words);
    if (flags.includes('~')) shown.sort();
    if (!flags.includes('&')) return shown;
    return shown.map((line) => this.#withoutIds(line, commands.includes('GETREDIR')));
  }

  async #directive(name: string, rest: string): Promise<string[]> {
    if (name === 'resp3') {
      await (await this.#peer(rest)).connection.command('HELLO', 3);
      return [];
    }
    if (name === 'close') {
      const peer = await this.#peer(rest);
      peer.connection.close();
      this.#peers.delete(rest);
      await this.#until(['CLIENT', 'LIST', 'ID', String(peer.id)], '$0\\r\\n\\r\\n');
      return this.#barriers();
    }
    if (name === 'free') {
      const peer = await this.#peer(rest);
      peer.blocked = 'no';
      return this.#barrier(peer);
    }
    if (name === 'await') {
      const [who, count] = rest.split(' ') as [string, string];
      const peer = await this.#peer(who);
      const out: string[] = [];
      while (out.length < Number(count)) {
        out.push(this.#shown(peer, await peer.connection.reply()));
      }
      return out;
    }
    if (name === 'until') {
      const [command, wanted] = rest.split(' => ') as [string, string];
      await this.#until(splitArgs(this.#ids(command)), wanted);
      return [];
    }
    throw new Error(`no directive @${name}`);
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
    const address = `127.0.0.1:${connection.socket.localPort}`;
    const state = { inMulti: false, isSilent: false, isGone: false, blocked: 'no' } as const;
    const peer: Peer = { name, connection, id, address, ...state };
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

  #withoutIds(line: string, isId: boolean): string {
    const places = isId ? /(?<=< :)\d+/g : /(?<=(redir(ect|-broken)|\$2\\r\\nid)\\r\\n:)\d+/g;
    return line.replace(places, (number) => {
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
        const text = frame?.toString('latin1') ?? '';
        if (!text.startsWith('>') && !MONITOR_LINE.test(text)) missing--;
        if (text.startsWith("-ERR Can't execute")) peer.inMulti = false;
        first.push(this.#shown(peer, frame));
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
    const out: string[] = [];
    if (first !== undefined) {
      // Twice: what is sent at the end of a turn of the server's loop comes behind the first.
      out.push(...(await this.#barrier(first)), ...(await this.#barrier(first)));
    }
    for (const peer of peers) out.push(...(await this.#barrier(peer)));
    return out;
  }

  /** Whether the server says that a client is blocked. */
  async #isBlocked(peer: Peer): Promise<boolean> {
    this.#aside ??= await RawConnection.open(this.#port);
    const line = String(await this.#aside.call('CLIENT', 'LIST', 'ID', peer.id));
    return / flags=\w*b/.test(line);
  }

  async #barrier(peer: Peer): Promise<string[]> {
    const { connection } = peer;
    const out: string[] = [];
    if (peer.inMulti || peer.isSilent || peer.isGone || peer.blocked === 'manual') return out;
    if (peer.blocked === 'auto') {
      if (await this.#isBlocked(peer)) return out;
      peer.blocked = 'no';
      const reply = await connection.reply();
      out.push(this.#shown(peer, reply));
      if (reply === undefined) return out;
    }
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
    if (frame === undefined) {
      peer.isGone = true;
      return `${peer.name}< (closed)`;
    }
    const text = show(frame).replace(MONITOR_LINE, (_, db: string, address: string) => {
      return `+TIME [${db} ${this.#nameOf(address)}] `;
    });
    return `${peer.name}< ${text}`;
  }

  #nameOf(address: string): string {
    for (const peer of this.#peers.values()) if (peer.address === address) return peer.name;
    return address;
  }
}
