// CONFIG GET, SET, RESETSTAT, REWRITE, HELP. What each directive means is in host/config.

import { rewriteConfig, type SetResult } from '../../config/index.js';
import type { ServerContext } from '../context.js';
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
  'REWRITE',
  '    Rewrite the configuration file.',
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

/** `user` lines of all users; undefined where an ACL file has them. */
function userLines({ core, config }: ServerContext): string[] | undefined {
  if (config.str('aclfile') !== '' || core.x.usersSave() === 0) return undefined;
  const text = core.copy(core.x.textAddress() >>> 0, core.x.textLength());
  const lines = new TextDecoder().decode(text).split('\n');
  return lines.filter((line) => line !== '');
}

/** Writes the file anew beside the old one and puts it in its place. Blocks: it is small. */
function rewriteFile(server: ServerContext, path: string): void {
  const { fs, process, clock } = server.platform;
  const old = fs.statSync(path) === undefined ? new Uint8Array(0) : fs.readFileSync(path);
  const text = rewriteConfig(server.config, new TextDecoder().decode(old), userLines(server));
  const temporary = `${path}.tmp-${process.pid}-${clock.nowUs()}`;
  const file = fs.openSync(temporary, 'wx', 0o644);
  try {
    file.writeSync(new TextEncoder().encode(text));
    file.syncSync();
  } finally {
    file.closeSync();
  }
  fs.renameSync(temporary, path);
}

function cmdConfigRewrite(call: HostCall): void {
  const { config, log } = call.server;
  if (config.configFile === undefined) {
    call.out.error('ERR The server is running without a config file');
    return;
  }
  try {
    rewriteFile(call.server, config.configFile);
    log.notice('CONFIG REWRITE executed with success.');
    call.out.simple('OK');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    log.warning(`CONFIG REWRITE failed: ${reason}`);
    call.out.error(`ERR Rewriting config file: ${reason}`);
  }
}

export const CONFIG_FAMILY: Readonly<Record<string, HostHandler>> = {
  'config|get': cmdConfigGet,
  'config|set': cmdConfigSet,
  'config|resetstat': cmdConfigResetstat,
  'config|rewrite': cmdConfigRewrite,
  'config|help': (call) => writeHelp(call, HELP),
};
