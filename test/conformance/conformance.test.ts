// Every line of lines/*.txt, sent to a real redis-server and to respite, replies compared raw;
// once one by one and once pipelined. RESPITE_LINES=string,expire runs only these files.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMAND_NAMES } from '../../host/commands/generated/table.js';
import { stopJudge } from '../support/keyspace.js';
import { available, type Server, startServer } from '../support/servers.js';
import { lineFiles } from './files.js';
import { describeWaiting, type FileResult, summary, writeReport } from './report.js';
import { Runner } from './runner.js';
import { startSubject } from './subject.js';
import { missing, waitsFor } from './waiting.js';

const COMMANDS: readonly string[] = COMMAND_NAMES;
const wanted = process.env.RESPITE_LINES?.split(',');
const files = lineFiles().filter(
  ({ file }) => wanted === undefined || wanted.includes(file.replace('.txt', '')),
);
const redis = available('redis');
const respite = available('respite');
const why = redis.ok ? (respite.ok ? '' : respite.why) : redis.why;

test('no line of a command that is here waits', () => {
  expect(COMMANDS.filter((name) => missing.has(name))).toEqual([]);
  const waiting = COMMANDS.filter((name) => {
    const words = [...name.split('|'), 'x', 'x'].map((word) => Buffer.from(word));
    return waitsFor(words) !== undefined;
  });
  expect(waiting).toEqual([]);
});

describe.skipIf(why !== '')(`conformance with redis-server${why && `: ${why}`}`, () => {
  let oracle: Server;
  let subject: Server;
  const results: FileResult[] = [];

  beforeAll(async () => {
    oracle = await startServer('redis');
    subject = await startSubject('respite');
  });

  afterAll(async () => {
    if (results.length > 0) {
      writeReport(results, 'respite');
      console.log(describeWaiting(results));
    }
    await stopJudge();
    await oracle?.stop();
    await subject?.stop();
  });

  describe.each(['one by one', 'pipelined'])('%s', (mode) => {
    test.each(files)('$file', async ({ file, steps }) => {
      if (oracle.exit) oracle = await startServer('redis');
      if (subject.exit) subject = await startSubject('respite');
      const pipelined = mode === 'pipelined';
      const result = await new Runner(oracle, subject, { pipelined }).run(steps);
      const name = pipelined ? `${file} (pipelined)` : file;
      results.push({ file: name, ...result });
      const { differences } = result;
      const ended = subject.exit ? `\nrespite ended:\n${subject.output.slice(-2000)}` : '';
      if (differences.length > 0) expect.fail(summary(name, differences) + ended);
    });
  });
});
