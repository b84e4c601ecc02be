// vitest: everything under test/ but the as-pect specs (test/assembly, run by asp) and the
// benchmarks (test/bench, run by `npm run bench`). Two workers: tests start servers of their own.

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', 'node_modules/**'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    // Most tests drive real servers against the real clock; build/test.mjs names those that needed
    // a second try.
    retry: 1,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
});
