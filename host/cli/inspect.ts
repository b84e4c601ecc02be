// `respite inspect [file]`: the page of host/web at an address of this machine, with the file in
// it.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { isRespiteError } from '../errors.js';
import type { Platform } from '../platform/platform.js';
import { EXIT } from './exit.js';

const HELP = `
The page reads the file in your browser, in a worker; nothing is uploaded, and the page may open no
connection but to this command. Without a file the page asks for one.

Examples:
  respite inspect dump.rdb               opens the browser with the dump in it
  respite inspect                        drop a file into the page
  respite inspect dump.rdb --no-open --port 8080

Exit codes: 0 ended by a signal, 1 the port is taken, 2 usage, 3 the file cannot be read.
`;

const EXIT_UNREADABLE = 3;
const PORT_MAX = 65535;

interface Options {
  port: number;
  host: string;
  open: boolean;
}

function portValue(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= PORT_MAX) return port;
  throw new InvalidArgumentError('A port is a number from 0 to 65535.');
}

/** Shows the address in the user's browser; that there is none is no error. */
function openBrowser(url: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '']
        : ['xdg-open'];
  const child = spawn(command as string, [...args, url], { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}

function untilSignal(platform: Platform): Promise<void> {
  return new Promise((resolve) => {
    platform.process.onSignal('SIGINT', () => resolve());
    platform.process.onSignal('SIGTERM', () => resolve());
  });
}

async function inspect(platform: Platform, file: string | undefined, options: Options) {
  const { host, port } = options;
  const root = fileURLToPath(new URL('../../web', import.meta.url));
  try {
    const { servePage } = await import('./page-server.js');
    const server = await servePage({ root, host, port, file });
    const what = file === undefined ? 'The page is' : `${file} is`;
    platform.process.writeStdout(`${what} at ${server.url} (end with Ctrl-C)\n`);
    if (options.open) openBrowser(server.url);
    await untilSignal(platform);
    await server.close();
    return EXIT.ok;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    platform.process.writeStderr(`respite inspect: ${reason}\n`);
    return isRespiteError(error, 'ERR_RESPITE_IO') ? EXIT_UNREADABLE : EXIT.failed;
  }
}

/** Adds the command; `ended` hears the exit code. */
export function addInspect(
  program: Command,
  platform: Platform,
  ended: (code: number) => void,
): void {
  program
    .command('inspect')
    .description('look into a dump in the browser')
    .argument('[file]', 'an RDB file, also packed with gzip')
    .option('--port <number>', 'port of the page; 0 is any free one', portValue, 0)
    .option('--host <address>', 'address to listen at', '127.0.0.1')
    .option('--no-open', 'do not open the browser')
    .addHelpText('after', HELP)
    .action(async (file: string | undefined, options: Options) => {
      ended(await inspect(platform, file, options));
    });
}
