// Compiles one AssemblyScript file in a process of its own (test/support/compile.ts starts it):
//   node asc.mjs <file read instead> <by this one> <arguments of asc>…      ('' '' for none)

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const [replaced, by, ...args] = process.argv.slice(2);

const { error, stderr } = await asc.main([...args, '--baseDir', ROOT], {
  readFile(name, base) {
    const path = resolve(base, name);
    const isReplaced = replaced !== '' && path === resolve(base, replaced);
    try {
      return readFileSync(isReplaced ? resolve(base, by) : path, 'utf8');
    } catch (failure) {
      if (failure.code === 'ENOENT') return null;
      throw failure;
    }
  },
});
if (error) {
  process.stderr.write(`${stderr.toString()}${error.message}\n`);
  process.exitCode = 1;
}
