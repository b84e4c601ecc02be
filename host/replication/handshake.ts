// What a replica says before PSYNC: PING, then AUTH and REPLCONF together, each reply read before
// the next phase begins (a master refuses PSYNC while replies are pending). Pure: lines in, bytes
// to send out.

import { RespiteError } from '../errors.js';
import { encodeRequest, encodeRequests } from './wire.js';

export interface HandshakeOptions {
  /** For errors. */
  address: string;
  username?: string | undefined;
  password?: string | undefined;
  /** Shown by the master and found by Sentinel; 0 when nothing listens. */
  announcePort: number;
  announceIp?: string | undefined;
  /** What we say to Valkey: it chooses the RDB version by it. */
  version: string;
}

/** Errors of PING that only mean "authenticate first". */
const PING_OK = /^-(NOAUTH|NOPERM|ERR operation not permitted)/;
/** Valkey sends the RDB of version 9 (hash field expiry kept) to replicas that say so. */
export const ANNOUNCED_VERSION = '9.0.0';

interface Step {
  readonly words: readonly string[];
  readonly isAuth: boolean;
}

export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #steps: Step[];
  #pinged = false;
  #next = 0;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.#steps = stepsOf(options);
  }

  /** The first bytes. */
  begin(): Uint8Array {
    return encodeRequest(['PING']);
  }

  /** Takes a reply; gives the bytes to send now (none: an empty array), or `true` when done. */
  reply(line: string): Uint8Array | true {
    if (!this.#pinged) {
      if (!line.startsWith('+') && !PING_OK.test(line)) throw this.#unexpected('PING', line);
      this.#pinged = true;
      return encodeRequests(this.#steps.map((step) => step.words));
    }
    const step = this.#steps[this.#next++] as Step;
    if (line.startsWith('-')) {
      // The master may be older than the option: go on without it.
      if (step.isAuth) throw this.#refused(line);
    } else if (!line.startsWith('+')) {
      throw this.#unexpected(step.words[0] as string, line);
    }
    return this.#next === this.#steps.length ? true : NOTHING;
  }

  #refused(line: string): RespiteError {
    const { address } = this.#options;
    return new RespiteError(
      'ERR_RESPITE_AUTH',
      `The master ${address} refused the user or password: ${line.slice(1)}`,
      { details: { address, reply: line.slice(1) } },
    );
  }

  #unexpected(command: string, line: string): RespiteError {
    const shown = line.slice(0, 128);
    const message = `The master ${this.#options.address} answered ${command} with ${shown}`;
    if (line.startsWith('-')) {
      return new RespiteError('ERR_RESPITE_SYNC', message, {
        details: { phase: 'handshake', retries: 0 },
      });
    }
    return new RespiteError('ERR_RESPITE_PROTOCOL', message, { details: { data: shown } });
  }
}

const NOTHING = new Uint8Array(0);

function stepsOf(options: HandshakeOptions): Step[] {
  const { username, password, announcePort, announceIp, version } = options;
  const steps: Step[] = [];
  if (password !== undefined && password !== '') {
    const words = username ? ['AUTH', username, password] : ['AUTH', password];
    steps.push({ words, isAuth: true });
  }
  const configure = (...words: string[]): void => {
    steps.push({ words: ['REPLCONF', ...words], isAuth: false });
  };
  configure('listening-port', String(announcePort));
  if (announceIp) configure('ip-address', announceIp);
  configure('capa', 'eof', 'capa', 'psync2');
  configure('version', version);
  return steps;
}
