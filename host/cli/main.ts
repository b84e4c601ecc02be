#!/usr/bin/env node
// Entry of the `respite` command.

import { createNodePlatform } from '../platform/node.js';
import { runProgram } from './program.js';

const platform = createNodePlatform();
const code = await runProgram(process.argv.slice(2), { platform });
// Commands end by themselves; what still holds the process is no longer needed.
process.exitCode = code;
process.stdout.write('', () => process.exit(code));
