// Blocked clients beside redis-server: the scripts of blocking/*.txt are run on both, step by step,
// and what every connection received is compared. The form of a script: test/support/scenario.ts.

import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSubject } from '../conformance/subject.js';
import { runScenario } from '../support/scenario.js';
import { available, type Server, startServer } from '../support/servers.js';

const FOLDER = new URL('blocking/', import.meta.url);
const why = [available('redis'), available('respite')].find(({ ok }) => !ok)?.why ?? '';

/** Scripts of a file by their titles, the lines that start with `== `. */
function scripts(file: string): [title: string, script: string][] {
  const text = readFileSync(new URL(file, FOLDER), 'utf8');
  const parts = text.split(/^== (.*)\n/m).slice(1);
  const out: [string, string][] = [];
  for (let i = 0; i < parts.length; i += 2) out.push([parts[i]!, parts[i + 1]!]);
  return out;
}

const files = readdirSync(FOLDER).sort();

describe.skipIf(why !== '')(`blocked clients as redis-server's${why && `: ${why}`}`, () => {
  let oracle: Server;
  let subject: Server;

  beforeAll(async () => {
    oracle = await startServer('redis');
    subject = await startSubject('respite');
  });

  afterAll(async () => {
    await oracle?.stop();
    await subject?.stop();
  });

  async function fresh(server: Server): Promise<void> {
    const admin = await server.connect();
    for (const command of ['CLIENT UNPAUSE', 'FLUSHALL', 'CONFIG RESETSTAT']) {
      await admin.call(...command.split(' '));
    }
    admin.close();
  }

  describe.each(files)('%s', (file) => {
    test.each(scripts(file))('%s', async (_title, script) => {
      const [wanted, got] = await Promise.all(
        [oracle, subject].map(async (server) => {
          await fresh(server);
          return runScenario(server.port, script);
        }),
      );
      expect(got!.join('\n')).toBe(wanted!.join('\n'));
    });
  });
});
