// Sends the same steps to two servers, the oracle (a real redis-server) and the subject, and
// compares what comes back, byte by byte where no mask says otherwise. Keyspaces are compared at
// every @fresh and at the end. A reply that does not come is a difference, not an exception.

import { encodeCommand, show } from '../support/bytes.js';
import { RawConnection } from '../support/connection.js';
import { compareKeyspaces } from '../support/keyspace.js';
import { type Plain, plain } from '../support/resp.js';
import type { ServerKind } from '../support/servers.js';
import { sleep } from '../support/wait.js';
import { type CommandStep, payload, type Step, TYPE_KEYS } from './lines.js';
import { type Mask, sameReply } from './masks.js';
import { stepWaitsFor } from './waiting.js';

export interface Difference {
  line: number;
  text: string;
  oracle: string;
  subject: string;
}

export interface Outcome {
  command: string;
  ok: boolean;
  known: string | undefined;
}

/** A line not sent because the subject has not got its command yet. */
export interface Waiting {
  line: number;
  command: string;
}

export interface RunResult {
  outcomes: Outcome[];
  differences: Difference[];
  waiting: Waiting[];
}

export interface Endpoint {
  port: number;
  kind: ServerKind;
}

export interface RunOptions {
  /** Send runs of plain commands in one write instead of one by one. */
  pipelined?: boolean;
  timeoutMs?: number;
  /** The file is given up after this many missing replies. */
  missingMax?: number;
  /** Compare the keyspace notifications that each command causes, and nothing else. */
  events?: boolean;
}

/** Number of the connection that listens to notifications. */
const EVENTS = -2;
const PIPELINE_MAX = 40;
const QUIET_MS = 25;
const CONTAINERS = /^(ACL|CLIENT|CLUSTER|COMMAND|CONFIG|DEBUG|MEMORY|OBJECT|SCRIPT|SLOWLOG)$/;

/** The command a line is counted under: its name, with the subcommand of containers. */
export function commandName(args: readonly Buffer[]): string {
  const word = (i: number) => (args[i]?.toString('latin1') ?? '').toUpperCase();
  const printable = (text: string) => (/^[A-Z0-9|_-]{1,24}$/.test(text) ? text : '(odd name)');
  const name = printable(word(0));
  return CONTAINERS.test(name) && args.length > 1 ? `${name}|${printable(word(1))}` : name;
}

/** One side: its connections by number and the configs to put back. */
class Side {
  readonly endpoint: Endpoint;
  readonly #connections = new Map<number, RawConnection>();
  readonly #changed = new Map<string, string>();
  /** The connection that listens to notifications. */
  #listening: RawConnection | undefined;
  current = 1;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
  }

  async connection(number = this.current): Promise<RawConnection> {
    let connection = this.#connections.get(number);
    if (connection === undefined || connection.isClosed) {
      connection = await RawConnection.open(this.endpoint.port);
      this.#connections.set(number, connection);
    }
    return connection;
  }

  drop(): void {
    this.#connections.get(this.current)?.close();
    this.#connections.delete(this.current);
  }

  async config(name: string, value: string): Promise<Plain> {
    const admin = await this.connection(-1);
    const before = (await admin.call('CONFIG', 'GET', name)) as string[];
    if (!this.#changed.has(name)) this.#changed.set(name, before[1] ?? '');
    return admin.call('CONFIG', 'SET', name, value);
  }

  async restoreConfigs(): Promise<void> {
    const admin = await this.connection(-1);
    for (const [name, value] of this.#changed) await admin.call('CONFIG', 'SET', name, value);
    this.#changed.clear();
  }

  /** The notifications since the last call, but for those of expiry: they follow the clock. */
  async events(): Promise<string[]> {
    const connection = await this.connection(EVENTS);
    if (connection !== this.#listening) {
      this.#listening = connection;
      const admin = await this.connection(-1);
      await admin.call('CONFIG', 'SET', 'notify-keyspace-events', 'AKEmn');
      await admin.call('DEBUG', 'SET-ACTIVE-EXPIRE', 0);
      await connection.call('PSUBSCRIBE', '__key*__:*');
    }
    connection.send(encodeCommand(['PING', 'events']));
    const out: string[] = [];
    for (;;) {
      const reply = await connection.reply();
      // a line that closes connections closes this one too; the next call opens another
      const message = reply === undefined ? ['pong'] : (plain(reply) as string[]);
      if (message[0] === 'pong') return out;
      const [, , channel = '', text = ''] = message;
      const isExpiry = channel.startsWith('__keyevent')
        ? channel.endsWith('__:expired')
        : text === 'expired';
      if (!isExpiry) out.push(`${channel} ${text}`);
    }
  }

  /** Lets go of all connections. */
  renew(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
    this.current = 1;
  }
}

export class Runner {
  readonly #oracle: Side;
  readonly #subject: Side;
  readonly #options: RunOptions;
  readonly #result: RunResult = { outcomes: [], differences: [], waiting: [] };
  #missing = 0;

  constructor(oracle: Endpoint, subject: Endpoint, options: RunOptions = {}) {
    this.#oracle = new Side(oracle);
    this.#subject = new Side(subject);
    this.#options = options;
  }

  async run(all: readonly Step[]): Promise<RunResult> {
    const steps = this.#subject.endpoint.kind === 'respite' ? this.#here(all) : all;
    let at = 0;
    await this.#both((side) => flush(side));
    await this.#startEvents();
    while (at < steps.length && this.#missing < (this.#options.missingMax ?? 5)) {
      const group = this.#options.pipelined ? plainRun(steps, at) : [];
      if (group.length > 1) await this.#pipeline(group);
      else await this.#step(steps[at]!);
      at += Math.max(1, group.length);
    }
    if (at < steps.length) {
      this.#note(steps[at]!.line, '(rest of the file)', 'was sent', 'given up: replies missing');
    }
    await this.#fresh(0);
    await this.#both(async (side) => side.renew());
    return this.#result;
  }

  /** The steps whose commands are here; the others are kept count of. */
  #here(steps: readonly Step[]): Step[] {
    return steps.filter((step) => {
      const command = stepWaitsFor(step);
      if (command !== undefined) this.#result.waiting.push({ line: step.line, command });
      return command === undefined;
    });
  }

  #both<T>(work: (side: Side) => Promise<T>): Promise<[T, T]> {
    return Promise.all([work(this.#oracle), work(this.#subject)]);
  }

  #note(line: number, text: string, oracle: string, subject: string): void {
    this.#result.differences.push({ line, text, oracle, subject });
  }

  async #step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'fresh':
        return this.#fresh(step.line);
      case 'types':
        return this.#types(step.line);
      case 'sleep':
        return sleep(step.value);
      case 'conn':
        this.#oracle.current = step.value;
        this.#subject.current = step.value;
        return;
      case 'resp': {
        const hello = async (side: Side) => (await side.connection()).call('HELLO', step.value);
        await this.#setup(step.line, `HELLO ${step.value}`, hello);
        return;
      }
      case 'config':
        return this.#setup(step.line, `CONFIG SET ${step.name} ${step.value}`, (side) =>
          side.config(step.name, step.value),
        );
      case 'scan':
        return this.#scan(step);
      default:
        return this.#command(step);
    }
  }

  /** Something both must simply do; an error of the subject alone is noted. */
  async #setup(line: number, text: string, work: (side: Side) => Promise<Plain>): Promise<void> {
    const [a, b] = await this.#both((side) => work(side).catch((error: Error) => error));
    const failed = (reply: Plain | Error) => (reply instanceof Error ? reply.message : 'done');
    if (failed(a) !== failed(b)) this.#note(line, text, failed(a), failed(b));
  }

  async #fresh(line: number): Promise<void> {
    const compare = async () => {
      const [a, b] = await this.#both((side) => RawConnection.open(side.endpoint.port));
      try {
        // commands of half a gigabyte let one server set a time from now seconds after the other
        const differences = await compareKeyspaces(a, b, { ttlToleranceMs: 5000 });
        for (const why of differences) this.#note(line, '(keyspaces at @fresh or end)', why, '');
      } finally {
        a.close();
        b.close();
      }
    };
    await this.#both((side) => side.restoreConfigs());
    await compare().catch((error: Error) => this.#note(line, '(keyspaces)', error.message, ''));
    await this.#both(async (side) => side.renew());
    await this.#both((side) => flush(side));
    await this.#startEvents();
  }

  async #startEvents(): Promise<void> {
    if (this.#options.events) await this.#both((side) => side.events());
  }

  async #types(line: number): Promise<void> {
    for (const [key, name] of TYPE_KEYS) {
      await this.#setup(line, `RESTORE ${key}`, async (side) =>
        (await side.connection(-1)).call('RESTORE', key, 0, payload(name), 'REPLACE'),
      );
    }
  }

  async #command(step: CommandStep): Promise<void> {
    const bytes = step.kind === 'raw' ? step.args[0]! : encodeCommand(step.args);
    const [a, b] = await this.#both(async (side) => {
      const connection = await side.connection();
      connection.send(bytes);
      return this.#collect(connection, step);
    });
    if (this.#options.events) await this.#judgeEvents(step);
    else this.#judge(step, a, b);
    if (step.closes || a.endsWith(CLOSED) || b.endsWith(CLOSED)) {
      await this.#both(async (side) => side.drop());
    }
  }

  /** What came back: whole replies as latin1 text, then a note when something was odd. */
  async #collect(connection: RawConnection, step: CommandStep): Promise<string> {
    const timeoutMs = step.timeoutMs ?? this.#options.timeoutMs ?? 3000;
    if (step.kind === 'raw' || step.replies === 0) {
      const got = (await connection.untilQuiet(QUIET_MS)).toString('latin1');
      return got + (step.closes && !(await connection.closes(timeoutMs)) ? NOT_CLOSED : '');
    }
    let got = '';
    for (let i = 0; i < step.replies; i++) {
      try {
        const reply = await connection.reply(timeoutMs);
        if (reply === undefined) return got + CLOSED;
        got += reply.toString('latin1');
      } catch (error) {
        this.#missing++;
        connection.close();
        return `${got}(${(error as Error).message})${CLOSED}`;
      }
    }
    return got + (step.closes && !(await connection.closes(timeoutMs)) ? NOT_CLOSED : '');
  }

  async #judgeEvents(step: CommandStep): Promise<void> {
    const [a, b] = await this.#both((side) => side.events());
    if (step.differs !== undefined || step.expect !== undefined) {
      // What was done differs too, and must not be seen in what follows.
      await this.#both((side) => flush(side));
      return;
    }
    const command = step.kind === 'raw' ? '(raw bytes)' : commandName(step.args);
    const ok = a.join('\n') === b.join('\n');
    this.#result.outcomes.push({ command, ok, known: undefined });
    if (!ok) this.#note(step.line, step.text.slice(0, 200), a.join(', '), b.join(', '));
  }

  #judge(step: CommandStep, oracle: string, subject: string): void {
    const [a, b] = [Buffer.from(oracle, 'latin1'), Buffer.from(subject, 'latin1')];
    const isRespite = this.#subject.endpoint.kind === 'respite';
    const written = step.differs ?? (step.expect ? 'follows a newer version' : undefined);
    const known = isRespite ? written : undefined;
    const same = !oracle.includes(NO_REPLY) && compared(a, b, step);
    let ok: boolean;
    if (known === undefined) ok = same;
    // a written difference that is none any more has to go from the lines
    else ok = step.expect === undefined ? !same : !same && b.equals(step.expect);
    const command = step.kind === 'raw' ? '(raw bytes)' : commandName(step.args);
    this.#result.outcomes.push({ command, ok, known });
    if (!ok) {
      const wanted = isRespite && step.expect !== undefined ? step.expect : a;
      const text = step.text.slice(0, 200) + (known && same ? ' (written as different)' : '');
      this.#note(step.line, text, show(wanted), show(b));
    }
  }

  async #pipeline(group: readonly CommandStep[]): Promise<void> {
    const bytes = Buffer.concat(group.map((step) => encodeCommand(step.args)));
    // replies before a slow command's may wait for it
    const times = group.flatMap(({ timeoutMs }) => (timeoutMs === undefined ? [] : [timeoutMs]));
    const slowest = times.length > 0 ? { timeoutMs: Math.max(...times) } : {};
    const [a, b] = await this.#both(async (side) => {
      const connection = await side.connection();
      connection.send(bytes);
      const replies: string[] = [];
      for (const step of group) {
        replies.push(await this.#collect(connection, { ...step, ...slowest }));
      }
      return replies;
    });
    for (const [i, step] of group.entries()) this.#judge(step, a[i]!, b[i]!);
    if (a.at(-1)!.endsWith(CLOSED) || b.at(-1)!.endsWith(CLOSED)) {
      await this.#both(async (side) => side.drop());
    }
  }

  async #scan(step: CommandStep): Promise<void> {
    const [a, b] = await this.#both(async (side) => {
      const connection = await side.connection();
      const seen = new Set<string>();
      let cursor = '0';
      let pages = 0;
      do {
        const [name, , ...rest] = step.args;
        const page = await connection.call(name!, cursor, ...rest);
        if (!Array.isArray(page)) return String(page);
        cursor = String(page[0]);
        for (const key of page[1] as string[]) seen.add(key);
      } while (cursor !== '0' && ++pages < 10_000);
      return [...seen].sort().join(' ');
    });
    this.#judge({ ...step, masks: [] }, a, b);
  }
}

const CLOSED = '(closed)';
const NO_REPLY = '(no whole reply';
const NOT_CLOSED = '(not closed)';

async function flush(side: Side): Promise<void> {
  const admin = await side.connection(-1);
  await admin.call('FLUSHALL');
}

function compared(a: Buffer, b: Buffer, step: CommandStep): boolean {
  try {
    return sameReply(a, b, masksOf(step));
  } catch {
    return a.equals(b);
  }
}

/**
 * Both servers are asked within a few milliseconds, and a second may turn in between: what follows
 * the clock may differ by that much without a word in the lines.
 */
function masksOf({ args, masks }: CommandStep): readonly Mask[] {
  if (masks.length > 0) return masks;
  const name = commandName(args);
  if (name === 'TTL') return [{ what: 'clock', by: 1n }];
  return name === 'PTTL' ? [{ what: 'clock', by: 100n }] : masks;
}

/** The run of plain commands from `at` that may go out in one write. */
function plainRun(steps: readonly Step[], at: number): CommandStep[] {
  const group: CommandStep[] = [];
  for (let i = at; i < steps.length && group.length < PIPELINE_MAX; i++) {
    const step = steps[i]!;
    if (step.kind !== 'command' || step.replies !== 1 || step.closes) break;
    group.push(step);
  }
  return group;
}
