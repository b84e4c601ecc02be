// node test/bench/rdb-data.mjs [keys] [seed]: makes the mixed dump if need be and prints its path.

import { runnerImport } from 'vite';

const file = new URL('./rdb-data.ts', import.meta.url).pathname;
const { module } = await runnerImport(file, { configFile: false, logLevel: 'error' });
const [keys, seed] = process.argv.slice(2).map(Number);
console.log(await module.mixedDump(keys, seed));
process.exit(0);
