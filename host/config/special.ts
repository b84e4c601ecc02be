// The kinds of values that belong to one directive each: save points, output limits, event flags,
// lists. Error texts are Redis' own.

import type {
  OutputLimit,
  OutputLimits,
  Parsed,
  ParseResult,
  SavePoint,
  ValueType,
} from './directive.js';
import { INT_MAX, LONG_MAX, parseInteger, parseMemory } from './values.js';

function multi(name: string, parse: ValueType['parse']): ValueType {
  return { name, isMulti: true, parse };
}

// save ---------------------------------------------------------------------------------------

function savePoints(words: readonly string[]): SavePoint[] | undefined {
  if (words.length % 2 !== 0) return undefined;
  const points: SavePoint[] = [];
  for (let i = 0; i < words.length; i += 2) {
    const seconds = parseInteger(words[i]!);
    const changes = parseInteger(words[i + 1]!);
    if (seconds === undefined || changes === undefined) return undefined;
    if (seconds < 1n || seconds > LONG_MAX || changes < 0n || changes > INT_MAX) return undefined;
    points.push({ seconds: Number(seconds), changes: Number(changes) });
  }
  return points;
}

function saveText(points: readonly SavePoint[]): string {
  return points.map(({ seconds, changes }) => `${seconds} ${changes}`).join(' ');
}

/** Redis: at start each `save` line adds points, the first one drops the defaults, "" all. */
export const saveType = multi('save points', (words, context) => {
  const isClear = words.length === 0 || (words.length === 1 && words[0] === '');
  if (isClear) return { value: [], text: '' };
  const added = savePoints(words);
  if (added === undefined) return { error: 'Invalid save parameters' };
  const before =
    context.isLoading && context.isRepeated
      ? ((context.current?.value as readonly SavePoint[] | undefined) ?? [])
      : [];
  const points = [...before, ...added];
  return { value: points, text: saveText(points) };
});

// client-output-buffer-limit -----------------------------------------------------------------

const LIMIT_CLASSES: Readonly<Record<string, keyof OutputLimits>> = {
  normal: 'normal',
  slave: 'replica',
  replica: 'replica',
  pubsub: 'pubsub',
};

const NO_LIMIT: OutputLimit = { hardBytes: 0, softBytes: 0, softSec: 0 };

function limitText(limits: OutputLimits): string {
  const one = (name: string, limit: OutputLimit): string =>
    `${name} ${limit.hardBytes} ${limit.softBytes} ${limit.softSec}`;
  return [
    one('normal', limits.normal),
    one('slave', limits.replica),
    one('pubsub', limits.pubsub),
  ].join(' ');
}

/** Only the classes named change. */
export const outputLimitType = multi('output limits', (words, context) => {
  const wrongCount = { error: 'Wrong number of arguments in buffer limit configuration.' };
  // Redis: CONFIG SET with an empty text changes nothing; in a file it is an error.
  const isEmpty = words.length === 1 && words[0] === '' && !context.isLoading;
  if (isEmpty && context.current !== undefined) return context.current;
  if (words.length === 0 || words.length % 4 !== 0) return wrongCount;
  const limits: OutputLimits = {
    ...((context.current?.value as OutputLimits | undefined) ?? {
      normal: NO_LIMIT,
      replica: NO_LIMIT,
      pubsub: NO_LIMIT,
    }),
  };
  for (let i = 0; i < words.length; i += 4) {
    const name = LIMIT_CLASSES[words[i]!.toLowerCase()];
    if (name === undefined) {
      return { error: 'Invalid client class specified in buffer limit configuration.' };
    }
    const hard = parseMemory(words[i + 1]!);
    const soft = parseMemory(words[i + 2]!);
    const seconds = parseInteger(words[i + 3]!);
    if (hard === undefined || soft === undefined || seconds === undefined || seconds < 0n) {
      return {
        error: 'Error in hard, soft or soft_seconds setting in buffer limit configuration.',
      };
    }
    limits[name] = {
      hardBytes: Number(hard),
      softBytes: Number(soft),
      softSec: Number(seconds),
    };
  }
  return { value: limits, text: limitText(limits) };
});

// notify-keyspace-events ---------------------------------------------------------------------

/** In the order they are printed; A stands for the first eleven together. */
const EVENTS_OF_ALL = 'g$lshzxetd';
const EVENT_CHARS = 'Ag$lshzxeKEtmdn';

export const keyspaceEventsType: ValueType = {
  name: 'event flags',
  isMulti: false,
  parse: (words) => {
    if (words.length !== 1) return { error: 'wrong number of arguments' };
    const given = new Set(words[0]!);
    for (const char of given) {
      if (!EVENT_CHARS.includes(char)) {
        return { error: `Invalid event class character. Use '${EVENT_CHARS}'.` };
      }
    }
    if (given.delete('A')) for (const char of EVENTS_OF_ALL) given.add(char);
    const isAll = [...EVENTS_OF_ALL].every((char) => given.has(char));
    // Redis 7.0 prints `n` only when A is not printed.
    const listed = `${EVENTS_OF_ALL}n`;
    const classes = isAll ? 'A' : [...listed].filter((char) => given.has(char)).join('');
    const text = classes + [...'KEm'].filter((char) => given.has(char)).join('');
    return { value: [...given].sort().join(''), text };
  },
};

// Lists --------------------------------------------------------------------------------------

const BIND_ADDRESSES_MAX = 16;

export const bindType = multi('addresses', (words) => {
  const list = words.length === 1 && words[0] === '' ? [] : words;
  if (list.length > BIND_ADDRESSES_MAX) return { error: 'Too many bind addresses specified.' };
  return { value: [...list], text: list.join(' ') };
});

export const oomScoreType = multi('scores', (words) => {
  if (words.length !== 3) return { error: 'wrong number of arguments' };
  const values = words.map((word) => Number(parseInteger(word) ?? 9999n));
  if (values.some((value) => value < -2000 || value > 2000)) {
    return { error: 'Invalid oom-score-adj-values, elements must be between -2000 and 2000.' };
  }
  return { value: values, text: values.join(' ') };
});

/** As C prints `%.17g` cut to what is needed: six digits after the point at most. */
function percentileText(value: number): string {
  return String(Number(value.toFixed(6)));
}

export const percentilesType = multi('percentiles', (words) => {
  const list = words.length === 1 && words[0] === '' ? [] : words;
  const values: number[] = [];
  for (const word of list) {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word)) {
      return { error: 'Invalid latency-tracking-info-percentiles parameters' };
    }
    const value = Number(word);
    if (value < 0 || value > 100) {
      return {
        error: 'latency-tracking-info-percentiles parameters should sit between [0.0,100.0]',
      };
    }
    values.push(value);
  }
  return { value: values, text: values.map(percentileText).join(' ') };
});

// shutdown-on-sigint, shutdown-on-sigterm ----------------------------------------------------

const SHUTDOWN_FLAGS = ['default', 'save', 'nosave', 'now', 'force'];

export const shutdownFlagsType = multi('flags', (words) => {
  const given = new Set(words.map((word) => word.toLowerCase()));
  if (given.size === 0 || [...given].some((flag) => !SHUTDOWN_FLAGS.includes(flag))) {
    return { error: `argument(s) must be one of the following: ${SHUTDOWN_FLAGS.join(', ')}` };
  }
  if (given.has('save') && given.has('nosave')) {
    return { error: "shutdown options SAVE and NOSAVE can't be used simultaneously" };
  }
  if (given.size > 1) given.delete('default');
  const flags = SHUTDOWN_FLAGS.filter((flag) => given.has(flag));
  return { value: flags, text: flags.join(' ') };
});

// replicaof ----------------------------------------------------------------------------------

const NO_MASTER: Parsed = { value: undefined, text: '' };

export const replicaOfType = multi('host and port', (words): ParseResult => {
  if (words.length !== 2) {
    return words.length === 1 && words[0] === ''
      ? NO_MASTER
      : { error: 'wrong number of arguments' };
  }
  const [host, portText] = words as [string, string];
  if (host.toLowerCase() === 'no' && portText.toLowerCase() === 'one') return NO_MASTER;
  const port = parseInteger(portText);
  if (port === undefined || port < 0n || port > 65535n) return { error: 'Invalid master port' };
  return { value: { host, port: Number(port) }, text: `${host} ${port}` };
});

// dir ----------------------------------------------------------------------------------------

export const directoryType: ValueType = {
  name: 'directory',
  isMulti: false,
  parse: (words, context) => {
    if (words.length !== 1) return { error: 'wrong number of arguments' };
    const path = context.resolveDirectory(words[0]!);
    if (path === undefined) return { error: 'No such file or directory' };
    return { value: path, text: path };
  },
};

// Checks of plain text -----------------------------------------------------------------------

export function plainFileName(word: string): string | undefined {
  return word.includes('/') ? "dbfilename can't be a path, just a filename" : undefined;
}

export function neededName(option: string, noun: string) {
  return (word: string): string | undefined => {
    if (word === '') return `${option} can't be empty`;
    return word.includes('/') ? `${option} can't be a path, just a ${noun}` : undefined;
  };
}

export function hostName(word: string): string | undefined {
  if (word.length >= 256) return 'Hostnames must be less than 256 characters';
  return /^[a-z0-9.-]*$/i.test(word)
    ? undefined
    : 'Hostnames may only contain alphanumeric characters, hyphens or dots';
}

const TITLE_WORDS = /\{(title|listen-addr|server-mode|port|tls-port|unixsocket|config-file)\}/g;

export function titleTemplate(word: string): string | undefined {
  return word === '' || /[{}]/.test(word.replace(TITLE_WORDS, ''))
    ? 'template format is invalid or contains unknown variables'
    : undefined;
}
