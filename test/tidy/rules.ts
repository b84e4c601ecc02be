// The import rules and size limits of the project, as data. DESIGN.md §2–3 and STYLE.md are the
// source; tidy.test.ts applies them. A new folder must be entered here, on purpose.

/** What each folder of assembly/ may import, besides itself. Downwards only. */
export const ASSEMBLY_IMPORTS: Record<string, readonly string[]> = {
  base: [],
  encoding: ['base'],
  hashtable: ['base'],
  resp: ['base'],
  types: ['base', 'encoding', 'hashtable'],
  keyspace: ['base', 'encoding', 'hashtable', 'resp', 'types'],
  rdb: ['base', 'encoding', 'hashtable', 'types', 'keyspace'],
  // the reader subset of rdb/ only, see RDB_READER
  inspect: ['base', 'encoding', 'rdb'],
  clients: ['base', 'encoding', 'hashtable', 'resp', 'types', 'keyspace'],
  commands: ['base', 'encoding', 'hashtable', 'resp', 'types', 'keyspace', 'rdb', 'clients'],
  // files directly in assembly/: the entries
  '': [
    'base',
    'encoding',
    'hashtable',
    'resp',
    'types',
    'keyspace',
    'rdb',
    'clients',
    'commands',
    'inspect',
  ],
};

/** Parts of rdb/ that rdb.wasm shares: only these folders. */
export const RDB_READER =
  /^(opcodes|length|raw|reader|values|stats|collections|errors|input|skip|streams|templates|write)/;
export const RDB_READER_IMPORTS: readonly string[] = ['base', 'encoding'];

/** What several command families may share inside commands/, besides generated/. */
export const COMMANDS_SHARED: readonly string[] = [
  'context',
  'keyspecs',
  'host-call',
  'dispatch',
  'process',
  'script',
  'turn',
  'unblock',
  'reject',
  'command-stats',
  'sorted-set-add',
  'client-line',
  'acl-categories',
  'acl-check',
  'acl-describe',
  'acl-log',
  'acl-rules',
  'sorted-set-pop',
  'stream-common',
  'list-elements',
  'hash-common',
];

/** Command files that bring the families together and so may import any of them. */
export const COMMANDS_GATHERING: readonly string[] = ['dispatch', 'index', 'process', 'batch'];

const LEAVES = ['config', 'metrics', 'platform', 'errors'];
const MIDDLE = ['rdb', 'server', 'storage', 'lua', 'persistence'];
const BELOW_TOP = ['core', ...LEAVES, ...MIDDLE, 'replication'];

/** What each folder of host/ may import, besides itself and the single files of host/. */
export const HOST_IMPORTS: Record<string, readonly string[]> = {
  core: [],
  platform: [],
  config: ['platform'],
  metrics: [],
  commands: [],
  rdb: ['core'],
  storage: ['core', 'config', 'commands'],
  server: ['core', ...LEAVES, ...MIDDLE, 'commands'],
  lua: ['core', ...LEAVES, ...MIDDLE],
  persistence: ['core', ...LEAVES, ...MIDDLE],
  replication: ['core', ...LEAVES, ...MIDDLE, 'commands'],
  cli: [...BELOW_TOP, 'commands', 'testing'],
  testing: [...BELOW_TOP, 'commands'],
  // of config, server, lua and commands only what is portable
  web: ['core', 'rdb', 'config', 'server', 'lua', 'commands'],
  '': [...BELOW_TOP, 'commands', 'testing'],
};

/** Folders of host/ that run in browsers too: no node: modules. */
export const HOST_PORTABLE: readonly string[] = ['core', 'rdb', 'storage', 'lua', 'web'];

/** Third-party modules and the only folders that may import them. */
export const THIRD_PARTY: Record<string, readonly string[]> = {
  fengari: ['lua'],
  commander: ['cli'],
  'cli-progress': ['cli'],
  'cli-table3': ['cli'],
  'prom-client': ['metrics'],
  pino: ['server', 'cli', 'platform', 'replication', ''],
  '@assemblyscript/loader': ['core'],
  preact: ['web'],
  echarts: ['web'],
  fzstd: ['web'],
  '@tanstack/virtual-core': ['web'],
};

/** Limits; a file or function over them needs an entry in ratchet.json, which may only shrink. */
export const LIMITS = {
  fileLinesMax: 800,
  functionLinesMax: 70,
  lineColumnsMax: 100,
  parametersMax: 5,
};
