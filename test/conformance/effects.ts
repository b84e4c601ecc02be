// What a server without a world puts into the stream of effects, and the recordings of what real
// masters put there (../shared/data/propagation): "command => reply | effect ; effect".

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MemoryClient, MemoryHost, type MemoryHostOptions } from '../sim/memory-host.js';
import { type Arg, encodeCommand } from '../support/bytes.js';
import { type Plain, plain } from '../support/resp.js';
import { ROOT } from '../support/servers.js';
import { parseCommands, splitReplies } from '../unit/commands/support/core-client.js';

export const DATA = process.env.RESPITE_DATA ?? join(ROOT, '../shared/data');

/** A host whose effects are followed. */
export function followedHost(options: MemoryHostOptions = {}): MemoryHost {
  const host = new MemoryHost(options);
  host.core.x.effectsFollow(true);
  return host;
}

/** The bytes of the effects since the last call. */
export function takeEffects({ core }: MemoryHost): Buffer {
  const bytes = Buffer.from(core.copy(core.x.effectsAddress() >>> 0, core.x.effectsLength() >>> 0));
  core.x.effectsDone();
  return bytes;
}

/** Effects as a recording writes them: "SELECT 0 ; set a 1". */
export function effectsText(bytes: Buffer): string {
  const commands = parseCommands(bytes).map((args) =>
    args.map((arg) => arg.toString('latin1')).join(' '),
  );
  return commands.length === 0 ? '(nothing)' : commands.join(' ; ');
}

export interface RecordedLine {
  /** What was asked; "" when the line only tells what came by itself. */
  command: string;
  effects: string;
  /** Sent by a second client that waits. */
  isBlocking: boolean;
}

/** The lines of every recording, by the number of the line, so that masters can be compared. */
export function recordings(): { name: string; lines: RecordedLine[] }[] {
  const folder = join(DATA, 'propagation');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, lines: parseRecording(readFileSync(join(folder, name), 'latin1')) }));
}

function parseRecording(text: string): RecordedLine[] {
  const lines: RecordedLine[] = [];
  for (const line of text.slice(text.indexOf('# strings')).split('\n')) {
    if (line.startsWith('@send ')) {
      lines.push({ command: line.slice(6).trim(), effects: '', isBlocking: true });
    }
    const found = /^(.*?)\s+=> .*? \| (.*)$/.exec(line);
    if (found && !line.startsWith('#')) {
      lines.push({ command: found[1]!, effects: found[2]!, isBlocking: false });
    }
  }
  return lines;
}

/** Without what differs from run to run: times, generated ids, the master's pings. */
export function comparable(effects: string): string {
  return effects
    .replace(/\b1[67]\d{11}\b/g, '<ms>')
    .replace(/( ; )?ping$/, '')
    .toLowerCase()
    .trim();
}

/** Words of a recorded line: separated by blanks, no quoting in those files. */
export function encodeLine(command: string): Buffer {
  return encodeCommand(command.split(' '));
}

/** Speaks to a host in memory as to a server, for comparing keyspaces. */
export class MemoryConnection {
  readonly #client: MemoryClient;

  constructor(host: MemoryHost) {
    this.#client = host.open();
  }

  async pipeline(commands: readonly (readonly Arg[])[]): Promise<Buffer[]> {
    const replies: Buffer[] = [];
    for (const args of commands) {
      replies.push(...splitReplies(await this.#client.ask(encodeCommand(args))));
    }
    return replies;
  }

  async call(...args: Arg[]): Promise<Plain> {
    return plain((await this.pipeline([args]))[0]!);
  }
}
