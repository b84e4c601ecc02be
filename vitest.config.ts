// vitest: everything under test/ but the as-pect specs (test/assembly, run by asp) and the
// benchmarks (test/bench, run by `npm run bench`). Two workers: tests start servers of their own.

import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Half a minute and more: begun last, one of them would run alone for that long. */
const LONG = [
  ...['fuzz/smoke', 'conformance/conformance', 'conformance/harness', 'rdb/convert', 'web/page'],
  ...['rdb/large-values', 'server/script-bombs', 'package/package', 'commands/strings-random'],
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) =>
      LONG.some((name) => moduleId.endsWith(`/${name}.test.ts`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', 'node_modules/**'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    testTimeout: 60_000,
    // Most tests drive real servers against the real clock; build/test.mjs names those that needed
    // a second try.
    retry: 1,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
});
