/**
 * Which arguments of a command nobody but its sender may see: passwords, and the users they belong
 * to. For whoever shows commands (MONITOR, SLOWLOG).
 */
import { argc, argIs } from './args';

/** The first such argument of the last `findSecrets`, 0 = there are none; and the one behind. */
export let secretFirst: u32 = 0;
export let secretEnd: u32 = 0;

function secretsAre(from: u32, count: u32): void {
  secretFirst = from;
  secretEnd = from + count;
}

/** Looks for them in the command in the arguments. */
export function findSecrets(): void {
  secretFirst = 0;
  secretEnd = 0;
  if (argIs(0, 'auth')) {
    secretsAre(1, argc);
  } else if (argIs(0, 'hello')) {
    for (let i: u32 = 2; i + 2 < argc && secretFirst == 0; i++) {
      if (argIs(i, 'auth')) secretsAre(i + 1, 2);
      else if (argIs(i, 'setname')) i++;
    }
  } else if (argc > 2 && argIs(0, 'acl') && argIs(1, 'setuser')) {
    secretsAre(2, argc);
  } else if (argIs(0, 'migrate')) {
    for (let i: u32 = 6; i + 1 < argc && !argIs(i, 'keys'); i++) {
      if (argIs(i, 'auth')) secretsAre(i + 1, 1);
      else if (argIs(i, 'auth2')) secretsAre(i + 1, 2);
    }
  }
}

/** Whether argument `index` is one of those found. */
// @ts-ignore: decorator
@inline export function isSecret(index: u32): bool {
  return index >= secretFirst && index < secretEnd;
}
