// `respite rdb info`: what a file says of itself.

import type { Command } from 'commander';
import { type RdbVerdict, readRdbInfo } from '../../rdb/check.js';
import { checksumText } from './check.js';
import { perform, sourceCommand } from './common.js';

/** Latin-1 text with what a terminal would act upon made visible. */
function shown(text: string): string {
  const hex = (c: string) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, hex);
}

/** `#!lua name=mylib` on top of a library; the code of a release candidate has none. */
function libraryName(source: string): string {
  return /^#!\S+\s+name=(\S+)/.exec(source)?.[1] ?? 'unnamed';
}

function infoText(info: RdbVerdict): string {
  const { version, isValkey, aux, databases, functions, keys, moduleAux } = info;
  const expires = databases.reduce((sum, one) => sum + one.expires, 0);
  const rows: [string, string][] = [
    ['format', `${isValkey ? 'Valkey' : 'Redis'} RDB ${version}`],
    ['checksum', checksumText(info)],
    ['keys', `${keys}, ${expires} of them expire`],
    ...databases.map((one): [string, string] => [
      `  database ${one.db}`,
      `${one.keys} keys, ${one.expires} of them expire`,
    ]),
    ...functions.map((source): [string, string] => [
      'function library',
      `${shown(libraryName(source))} (${source.length} bytes)`,
    ]),
    ...(moduleAux === 0 ? [] : [['module data', `${moduleAux} times`] as [string, string]]),
    ...Object.entries(aux).map(([name, value]): [string, string] => [shown(name), shown(value)]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => `${name.padEnd(width)}${value}\n`).join('');
}

export function addInfo(rdb: Command): void {
  sourceCommand(rdb, {
    name: 'info',
    summary: 'what a file says of itself: version, databases, fields, functions, checksum',
    filters: false,
    examples: [
      ['info dump.rdb', 'as a table'],
      ['info --json dump.rdb', 'for machines'],
      ['info redis://127.0.0.1:6379', 'of a running server'],
    ],
  })
    .option('--json', 'as JSON')
    .action(
      perform(async (job) => {
        const options = { ...job.inspectOptions, partial: true };
        const { damage, ...info } = await readRdbInfo(await job.open(), options);
        await job.write(job.options.json ? `${JSON.stringify(info, null, 2)}\n` : infoText(info));
        if (damage !== undefined) throw damage;
      }),
    );
}
