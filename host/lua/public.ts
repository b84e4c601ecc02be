// The public entry `respite/lua`: Lua scripts over data in this process. Portable; under Node.js
// lua-node.ts stands in front of it.

export type { Argument } from '../core/local.js';
export type { ReplyValue } from '../core/resp-value.js';
export { type ErrorCode, isRespiteError, RespiteError } from '../errors.js';
export { createStorage, type OwnStorage, type StorageOptions } from '../storage/open.js';
export type { Storage } from '../storage/storage.js';
export {
  type CallOptions,
  LuaEngine,
  type LuaEngineOptions,
  type LuaLibrary,
  type LuaLogLevel,
} from './engine.js';
