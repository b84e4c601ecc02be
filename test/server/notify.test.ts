// Keyspace notifications: every line of test/conformance/lines is run on redis-server and respite
// with all classes on, and what a subscriber was told after each is compared, in order. A command's
// lines there are all it takes. Scenarios of several clients are in scenarios/notify.txt.
// RESPITE_LINES=string,expire runs only these files.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lineFiles } from '../conformance/files.js';
import { summary } from '../conformance/report.js';
import { Runner } from '../conformance/runner.js';
import { startSubject } from '../conformance/subject.js';
import { stopJudge } from '../support/keyspace.js';
import { available, type Server, startServer } from '../support/servers.js';
import { scenarioTests } from './scenarios.js';

scenarioTests('notify');

const wanted = process.env.RESPITE_LINES?.split(',');
const files = lineFiles().filter(
  ({ file }) => wanted === undefined || wanted.includes(file.replace('.txt', '')),
);
const why = [available('redis'), available('respite')].find(({ ok }) => !ok)?.why ?? '';

describe.skipIf(why !== '')(`notifications as redis-server's${why && `: ${why}`}`, () => {
  let oracle: Server;
  let subject: Server;

  beforeAll(async () => {
    oracle = await startServer('redis');
    subject = await startSubject('respite');
  });

  afterAll(async () => {
    await stopJudge();
    await oracle?.stop();
    await subject?.stop();
  });

  test.each(files)('$file', async ({ file, steps }) => {
    if (oracle.exit) oracle = await startServer('redis');
    if (subject.exit) subject = await startSubject('respite');
    const { differences } = await new Runner(oracle, subject, { events: true }).run(steps);
    const ended = subject.exit ? `\nrespite ended:\n${subject.output.slice(-2000)}` : '';
    if (differences.length > 0) expect.fail(summary(file, differences) + ended);
  });
});
