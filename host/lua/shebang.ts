// The first line of a script or library: `#!lua name=mylib flags=no-writes,allow-oom`.

export const FLAG_NO_WRITES = 1;
export const FLAG_ALLOW_OOM = 2;
export const FLAG_ALLOW_STALE = 4;
export const FLAG_NO_CLUSTER = 8;
export const FLAG_CROSS_SLOT = 16;
/** A script without that line: nothing is checked before it runs. */
export const FLAG_COMPATIBLE = 32;

export const FLAG_NAMES: Readonly<Record<string, number>> = {
  'no-writes': FLAG_NO_WRITES,
  'allow-oom': FLAG_ALLOW_OOM,
  'allow-stale': FLAG_ALLOW_STALE,
  'no-cluster': FLAG_NO_CLUSTER,
  'allow-cross-slot-keys': FLAG_CROSS_SLOT,
};

/** Whether a script has said that it does not write. */
export function onlyReads(flags: number): boolean {
  return (flags & (FLAG_COMPATIBLE | FLAG_NO_WRITES)) === FLAG_NO_WRITES;
}

/** What is wrong with a script; the text is the reply, without ERR. */
export class ScriptProblem {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

export interface ScriptHead {
  readonly flags: number;
  /** The source from the end of that line on, so that line numbers stay right. */
  readonly body: string;
}

/** Takes the flags out of a script's first line; throws a ScriptProblem. */
export function readShebang(source: string): ScriptHead {
  if (!source.startsWith('#!')) return { flags: FLAG_COMPATIBLE, body: source };
  const end = source.indexOf('\n');
  if (end < 0) throw new ScriptProblem('Invalid script shebang');
  const [engine, ...options] = source
    .slice(0, end)
    .split(' ')
    .filter((part) => part !== '');
  if (engine !== '#!lua') {
    throw new ScriptProblem(`Unexpected engine in script shebang: ${engine ?? ''}`);
  }
  let flags = 0;
  for (const option of options) {
    if (!option.startsWith('flags=')) {
      throw new ScriptProblem(`Unknown lua shebang option: ${option}`);
    }
    for (const flag of option.slice(6).split(',')) {
      if (flag === '') continue;
      const bit = FLAG_NAMES[flag];
      if (bit === undefined) throw new ScriptProblem(`Unexpected flag in script shebang: ${flag}`);
      flags |= bit;
    }
  }
  return { flags, body: source.slice(end) };
}
