// Random commands over keys whatever they hold, that all versions answer alike: company for
// families that run beside newer servers.

import { FAR, FAR_MS, key, type Make, maybe, times, type Weighted } from './common.js';

const database: Make = (r) => [r.pick(['0', '0', '1', '2'])];

export const KEYS: Weighted[] = [
  [3, (r) => ['DEL', key(r), ...times(r, 1, key)]],
  [1, (r) => ['UNLINK', key(r)]],
  [2, (r) => ['EXISTS', key(r), key(r)]],
  [2, (r) => ['TYPE', key(r)]],
  [4, (r) => ['OBJECT', 'ENCODING', key(r)]],
  [1, (r) => [r.pick(['RENAME', 'RENAMENX']), key(r), key(r)]],
  [3, (r) => ['COPY', key(r), key(r), ...maybe(r, 'REPLACE'), ...(r.once(4) ? ['DB', '1'] : [])]],
  [1, (r) => ['MOVE', key(r), ...database(r)]],
  [1, (r) => ['SET', key(r), 'a string']],
  [2, (r) => ['EXPIREAT', key(r), r.pick(FAR)]],
  [1, (r) => ['PEXPIREAT', key(r), r.pick(FAR_MS)]],
  [1, (r) => ['PERSIST', key(r)]],
  [1, (r) => ['SELECT', ...database(r)]],
  [1, (r) => ['SWAPDB', ...database(r), ...database(r)]],
  [1, (r) => [r.pick(['MULTI', 'EXEC', 'EXEC', 'DISCARD', 'UNWATCH'])]],
  [1, (r) => ['WATCH', key(r)]],
];
