// Lua scripting, for the server: the engine and what its commands need.

export type { FunctionEntry, Library } from './functions.js';
export { readPayload } from './payload.js';
export {
  flagRefusal,
  LIMITED_USER,
  READ_ONLY_REPLICA,
  UNKNOWN_FUNCTION,
  UNKNOWN_SCRIPT,
} from './refusal.js';
export type { MadeReply } from './replies.js';
export { busyText, type Run, type Script, ScriptEngine } from './scripts.js';
export * from './shebang.js';
export { bytesToText, textToBytes } from './vm/bytes.js';
