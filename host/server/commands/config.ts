// CONFIG GET, SET, RESETSTAT, HELP. What each directive means is in host/config.

import type { SetResult } from '../../config/index.js';
import type { HostCall, HostHandler } from '../host-commands.js';
import { argText, writeHelp } from '../host-commands.js';

const HELP = [
  'CONFIG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'GET <pattern>',
  '    Return parameters matching the glob-like <pattern> and their values.',
  'SET <directive> <value>',
  '    Set the configuration <directive> to <value>.',
  'RESETSTAT',
  '    Reset statistics reported by the INFO command.',
  'HELP',
  '    Prints this help.',
];

function texts(call: HostCall, from: number): string[] {
  const out: string[] = [];
  for (let i = from; i < call.argv.length; i++) out.push(argText(call, i));
  return out;
}

function cmdConfigGet(call: HostCall): void {
  const found = call.server.config.get(texts(call, 2));
  call.out.map(found.length);
  for (const [name, text] of found) {
    call.out.bulk(name);
    call.out.bulk(text);
  }
}

function cmdConfigSet(call: HostCall): void | Promise<void> {
  const words = texts(call, 2);
  if (words.length % 2 !== 0) {
    call.out.error('ERR syntax error');
    return;
  }
  const pairs: [string, string][] = [];
  for (let i = 0; i < words.length; i += 2) pairs.push([words[i]!, words[i + 1]!]);
  const answer = (result: SetResult): void => {
    if (result.ok) call.out.simple('OK');
    else call.out.error(result.error);
  };
  const { config } = call.server;
  const options = { isLocal: call.isLocal };
  if (!call.inExec && !config.canSetAtOnce(pairs)) return config.set(pairs, options).then(answer);
  answer(config.setAtOnce(pairs, options));
}

function cmdConfigResetstat(call: HostCall): void {
  const { core, counters, rates } = call.server;
  core.x.statisticsReset();
  for (const name of Object.keys(counters) as (keyof typeof counters)[]) counters[name] = 0;
  rates.reset();
  call.out.simple('OK');
}

export const CONFIG_FAMILY: Readonly<Record<string, HostHandler>> = {
  'config|get': cmdConfigGet,
  'config|set': cmdConfigSet,
  'config|resetstat': cmdConfigResetstat,
  'config|help': (call) => writeHelp(call, HELP),
};
