// The worker of the console: the core, scripts and all.

import { hintFor } from './command-hints.js';
import { Console } from './console.js';
import { serve } from './serve.js';

let console: Console | undefined;

serve({
  async consoleStart(args, task) {
    const started = await Console.start(args, task);
    console = started.console;
    return started.facts;
  },
  consoleHint: ({ line }) => hintFor(line),
  consoleRun({ line }) {
    if (console === undefined) throw new Error('the console has not been started');
    return console.run(line);
  },
});
