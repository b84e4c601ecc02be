// Runs the scenarios of a file in scenarios/ on redis-server and respite: `== title` starts one,
// with an empty data set and no notifications.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareScenario } from '../support/scenario.js';
import { available, type Server, startServer } from '../support/servers.js';
import { waitFor } from '../support/wait.js';

const why = [available('redis'), available('respite')].find(({ ok }) => !ok)?.why ?? '';

async function fresh(server: Server): Promise<void> {
  const connection = await server.connect();
  await connection.call('CLIENT', 'UNPAUSE');
  // Nobody of the scenario before may be left, least of all blocked.
  const isAlone = async () =>
    String(await connection.call('CLIENT', 'LIST')).split(' addr=').length < 3;
  await waitFor(isAlone, { what: 'the clients of before to be gone' });
  await connection.call('FLUSHALL');
  await connection.call('CONFIG', 'SET', 'notify-keyspace-events', '');
  connection.close();
}

/** Declares a test for every scenario of scenarios/<name>.txt. */
export function scenarioTests(name: string): void {
  const text = readFileSync(new URL(`scenarios/${name}.txt`, import.meta.url), 'latin1');
  const [, ...parts] = text.split(/^== /m);
  const scenarios = parts.map((part) => {
    const end = part.indexOf('\n');
    return { title: part.slice(0, end), script: part.slice(end) };
  });

  describe.skipIf(why !== '')(`${name} as redis-server${why && `: ${why}`}`, () => {
    let oracle: Server;
    let subject: Server;

    beforeAll(async () => {
      oracle = await startServer('redis');
      subject = await startServer('respite');
    });

    afterAll(async () => {
      await oracle?.stop();
      await subject?.stop();
    });

    test.each(scenarios)('$title', async ({ script }) => {
      await Promise.all([fresh(oracle), fresh(subject)]);
      expect(await compareScenario(oracle.port, subject.port, script)).toBe('');
    });
  });
}
