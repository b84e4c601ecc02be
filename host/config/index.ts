// Configuration: see config.ts for what it does and load.ts for where it comes from.

export {
  type ApplyFn,
  CLEANUP_PRESETS,
  type CleanupConfig,
  Config,
  invalidConfig,
  type SetOptions,
  type SetResult,
} from './config.js';
export type { Directive, HostPort, OutputLimit, OutputLimits, SavePoint } from './directive.js';
export { DIRECTIVE_BY_NAME, DIRECTIVES, REDIS_VERSION } from './directives.js';
export {
  type ConfigSource,
  formatConfigError,
  type LoadOptions,
  type LoadResult,
  loadConfig,
  loadText,
  type OptionValue,
} from './load.js';
export { rewriteConfig } from './rewrite.js';
export { platformSource } from './source.js';
export { clientTlsOf, serverTlsOf } from './tls.js';
