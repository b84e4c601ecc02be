// The worker of the console, loaded when it is wanted: it carries the core.

export { default as ConsoleWorker } from './worker/console-main.ts?worker&inline';
