// Derives everything that depends on the command table (assembly/commands/spec/*.json): ids,
// static rows, lookup and dispatch for the core, data and types for the host, the Markdown list.
// Run by the build before asc and tsc. Output depends on the spec files only; a file is written
// only when its text changes, and then named on standard output.
//
//   node build/gen-commands.mjs [--all] [--docs] [--out <root>]
//
// --all   include rows marked "none" (tests); --docs  also write docs/commands.md;
// --out   write below another root than the repository.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { dispatchFile, idsFile, tableFile } from './gen-commands/core-files.mjs';
import { docsFile, hostTableFile } from './gen-commands/host-files.mjs';
import { loadSpec } from './gen-commands/spec.mjs';

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** Generates all files below `out`; returns the paths (relative) that changed. */
export function generateCommands({ out = ROOT, all = false, docs = false } = {}) {
  const rows = loadSpec(path.join(ROOT, 'assembly/commands/spec'), { all });
  const files = {
    'assembly/commands/generated/ids.ts': idsFile(rows),
    'assembly/commands/generated/table.ts': tableFile(rows),
    'assembly/commands/generated/dispatch.ts': dispatchFile(rows),
    'host/commands/generated/table.ts': hostTableFile(rows),
  };
  if (docs) files['docs/commands.md'] = docsFile(rows);
  return Object.keys(files).filter((name) => writeIfChanged(path.join(out, name), files[name]));
}

function writeIfChanged(file, text) {
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) return false;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
  return true;
}

function main(argv) {
  const options = {};
  for (let i = 0; i < argv.length; i++) {
    if (argv[i] === '--all') options.all = true;
    else if (argv[i] === '--docs') options.docs = true;
    else if (argv[i] === '--out' && argv[i + 1]) options.out = path.resolve(argv[++i]);
    else throw new Error(`gen-commands: unknown option ${argv[i]}`);
  }
  for (const name of generateCommands(options)) console.log(`wrote ${name}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main(process.argv.slice(2));
