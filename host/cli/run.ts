// What `serve` and `replicate` have in common: configuration, log, start, signals, end.

import {
  type Config,
  formatConfigError,
  type LoadOptions,
  type LoadResult,
  loadConfig,
  platformSource,
} from '../config/index.js';
import { isRespiteError } from '../errors.js';
import { createLogger, type Logger, type LogLevel } from '../log.js';
import type { Platform, Signal } from '../platform/platform.js';
import { RESPITE_VERSION as VERSION } from '../server/version.js';
import type { RunningServer, StartServer } from './engine.js';
import { EXIT } from './exit.js';

const READY = 'Ready to accept connections';

export interface RunOptions extends Omit<LoadOptions, 'source'> {
  load: () => Promise<StartServer>;
  /** Said once in the log at start. */
  notes?: readonly string[];
}

function openLog(config: Config): Logger {
  return createLogger({
    level: config.str('loglevel') as LogLevel,
    format: config.str('log-format') as 'text' | 'json',
    logfile: config.str('logfile'),
  });
}

function logStart(log: Logger, loaded: LoadResult, platform: Platform, notes: readonly string[]) {
  const { config, unknownEnv } = loaded;
  log.notice(`respite ${VERSION} is starting, pid ${platform.process.pid}`);
  const idle = config.withoutEffect;
  if (idle.length > 0) log.notice(`Accepted, but without effect here: ${idle.join(', ')}`);
  if (unknownEnv.length > 0) {
    log.warning(`These environment variables name no directive: ${unknownEnv.join(', ')}`);
  }
  for (const note of notes) log.warning(note);
}

/** The contract: the line is on standard output whatever the log is told to do. */
function announce(log: Logger, config: Config, server: RunningServer, platform: Platform): void {
  const where = [server.address].flat().join(', ');
  log.notice(`${READY} at ${where}`);
  if (config.str('logfile') !== '' || config.str('loglevel') === 'warning') {
    platform.process.writeStdout(`${READY} at ${where}\n`);
  }
}

/** Resolves to the exit code when the server has ended, by a signal or by itself. */
function untilEnd(server: RunningServer, platform: Platform, log: Logger): Promise<number> {
  return new Promise((resolve) => {
    let isClosing = false;
    const onSignal = (signal: Signal, forced: number): void => {
      if (isClosing) {
        log.warning(`Received ${signal} again: exiting now`);
        log.flush();
        platform.process.exit(forced);
        return;
      }
      isClosing = true;
      log.warning(`Received ${signal} scheduling shutdown...`);
      server.close().then(
        () => resolve(EXIT.ok),
        (error: unknown) => {
          isClosing = false;
          const reason = error instanceof Error ? error.message : String(error);
          log.warning(`Shutdown was refused: ${reason}`);
        },
      );
    };
    platform.process.onSignal('SIGTERM', () => onSignal('SIGTERM', EXIT.forcedTerm));
    platform.process.onSignal('SIGINT', () => onSignal('SIGINT', EXIT.forcedInt));
    platform.process.onSignal('SIGHUP', () => {}); // Redis: survives its terminal
    server.done.then(
      () => resolve(EXIT.ok),
      (error: unknown) => {
        log.warning(`The server failed: ${error instanceof Error ? error.stack : String(error)}`);
        resolve(EXIT.failed);
      },
    );
  });
}

/** Runs a server from start to end; the result is the exit code. */
export async function run(platform: Platform, options: RunOptions): Promise<number> {
  let loaded: LoadResult;
  try {
    loaded = loadConfig({ ...options, source: platformSource(platform) });
  } catch (error) {
    platform.process.writeStderr(formatConfigError(error, VERSION));
    return EXIT.usage;
  }
  const { config } = loaded;
  let log: Logger;
  try {
    log = openLog(config);
  } catch (error) {
    platform.process.writeStderr(`Can't open the log file: ${(error as Error).message}\n`);
    return EXIT.failed;
  }
  config.onApply(['loglevel'], () => {
    log.level = config.str('loglevel') as LogLevel;
  });
  logStart(log, loaded, platform, options.notes ?? []);
  let server: RunningServer;
  try {
    const start = await options.load();
    server = await start(config, platform, log);
  } catch (error) {
    const isConfig = isRespiteError(error, 'ERR_RESPITE_INVALID_CONFIG');
    const reason = error instanceof Error ? error.message : String(error);
    log.warning(`Can't start: ${reason}`);
    log.flush();
    platform.process.writeStderr(`respite: can't start: ${reason}\n`);
    return isConfig ? EXIT.usage : EXIT.failed;
  }
  announce(log, config, server, platform);
  const code = await untilEnd(server, platform, log);
  if (code === EXIT.ok) log.warning('respite is now ready to exit, bye bye...');
  log.flush();
  return code;
}
