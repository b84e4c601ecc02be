// Files through the platform into a core, as at start-up.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Core } from '../../host/core/core.js';
import { loadRdbFile } from '../../host/persistence/rdb-file.js';
import { createNodePlatform } from '../../host/platform/node.js';
import { coreModule } from '../support/load-core.js';
import { f64, key, len, rdb, str } from '../support/rdb-build.js';
import { RdbHarness } from '../support/rdb-harness.js';

describe('loadRdbFile', () => {
  const platform = createNodePlatform();
  const reader = new RdbHarness();
  let dir: string;
  let module: WebAssembly.Module;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'respite-file-'));
    module = coreModule();
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const newCore = (reserve: boolean) =>
    new Core(
      module,
      { hostCommand: () => 0, applyProblem: () => {} },
      { seed: Buffer.alloc(16, 1), reserve },
    );
  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(dir, name), bytes);
    return join(dir, name);
  };
  const many = (n: number): Buffer => {
    const parts: Buffer[] = [];
    for (let i = 0; i < n; i++) parts.push(key(0, `key:${i}`, str(Buffer.alloc(100, i))));
    for (let i = 0; i < n / 100; i++) {
      const members = Array.from({ length: 200 }, (_, k) => [str(`member ${k}`), f64(k)]);
      parts.push(key(5, `z${i}`, len(200), ...members.flat()));
    }
    return rdb(reader, 'REDIS0010', ...parts);
  };

  it.each([true, false])(
    'reads in pieces and lets the loop run (reserved: %s)',
    async (reserve) => {
      const bytes = many(30_000);
      const path = write('dump.rdb', Buffer.concat([bytes, Buffer.from('*1\r\ntail')]));
      const core = newCore(reserve);
      let turns = 0;
      const timer = setInterval(() => turns++, 0);
      const progress: number[] = [];
      const facts = await loadRdbFile(core, platform, path, {
        onProgress: (done) => progress.push(done),
      });
      clearInterval(timer);
      expect(facts).toMatchObject({ keys: 30_300, bytes: bytes.length, checksum: 'ok', error: 0 });
      expect(turns).toBeGreaterThan(2);
      expect(progress.length).toBeGreaterThan(3);
    },
  );

  it('says what is wrong, where, and in which key', async () => {
    const core = newCore(true);
    const bytes = rdb(reader, 'REDIS0010', key(2, 'set', len(2), str('a'), str('a')));
    await expect(loadRdbFile(core, platform, write('bad.rdb', bytes))).rejects.toMatchObject({
      code: 'ERR_RESPITE_RDB_FORMAT',
      details: { offset: 9, reason: 'duplicate element in a collection', key: 'set', db: 0 },
    });
    await expect(
      loadRdbFile(core, platform, write('cut.rdb', many(10).subarray(0, 500))),
    ).rejects.toMatchObject({ details: { offset: 500, reason: 'unexpected end of file' } });
    expect(await loadRdbFile(core, platform, write('good.rdb', many(10)))).toMatchObject({
      keys: 11,
    });
  });

  it('a file that is not there is none; one that cannot be read is an error', async () => {
    const core = newCore(true);
    expect(await loadRdbFile(core, platform, join(dir, 'none.rdb'))).toBeUndefined();
    await expect(loadRdbFile(core, platform, dir)).rejects.toMatchObject({
      code: 'ERR_RESPITE_IO',
    });
  });

  it('a data set that does not fit is an error, and the core goes on', async () => {
    const core = new Core(
      module,
      { hostCommand: () => 0, applyProblem: () => {} },
      { seed: Buffer.alloc(16, 1), memoryBytesMax: 8 << 20 },
    );
    const path = write('large.rdb', many(60_000));
    await expect(loadRdbFile(core, platform, path)).rejects.toMatchObject({
      code: 'ERR_RESPITE_OUT_OF_MEMORY',
    });
    // what the server's timer does
    while (core.x.lazyStep() > 0);
    expect(await loadRdbFile(core, platform, write('small.rdb', many(100)))).toMatchObject({
      keys: 101,
    });
  });
});
