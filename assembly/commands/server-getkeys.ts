/** COMMAND GETKEYS and GETKEYSANDFLAGS; where the keys are is keyspecs.ts' knowledge. */
import { argc, argLen, argPtr, argv } from '../resp/args';
import { replyOom } from '../resp/errors';
import { replyArray, replyBulk, replyError, replySet, replySimple } from '../resp/reply';
import { CMDFLAG_NO_MANDATORY_KEYS } from './generated/ids';
import {
  cmdArityOk,
  cmdFlags,
  cmdHasKeys,
  cmdHasSubcommands,
  lookupCommand,
  lookupSubcommand,
} from './generated/table';
import { KEYS_OOM, keysOf, keysOfPtr } from './keyspecs';

/** Words of COMMAND GETKEYS before the command line in question. */
const SKIP: u32 = 2;
const KEY_FLAGS: StaticArray<string> = [
  'RO',
  'RW',
  'OW',
  'RM',
  'access',
  'insert',
  'update',
  'delete',
  'not_key',
  'incomplete',
  'variable_flags',
];

/** Finds the keys of the line in the arguments: their number, or -1 when answered. */
function keysOrReply(): i32 {
  let id = lookupCommand(argPtr(SKIP), argLen(SKIP));
  if (id >= 0 && cmdHasSubcommands(id) && argc > SKIP + 1) {
    id = lookupSubcommand(id, argPtr(SKIP + 1), argLen(SKIP + 1));
  }
  if (id < 0) {
    replyError('ERR Invalid command specified');
    return -1;
  }
  if (!cmdHasKeys(id)) {
    replyError('ERR The command has no key arguments');
    return -1;
  }
  const count = <i32>(argc - SKIP);
  if (!cmdArityOk(id, count)) {
    replyError('ERR Invalid number of arguments specified for command');
    return -1;
  }
  const keys = keysOf(id, count, argv + ((<usize>SKIP) << 3));
  if (keys == KEYS_OOM) {
    replyOom();
    return -1;
  }
  if (keys == 0 && (cmdFlags(id) & CMDFLAG_NO_MANDATORY_KEYS) == 0) {
    replyError('ERR Invalid arguments specified for command');
    return -1;
  }
  return keys;
}

export function cmdCommandGetkeys(): void {
  const keys = keysOrReply();
  if (keys < 0) return;
  replyArray(keys);
  for (let i = 0; i < keys; i++) {
    const at = SKIP + load<u32>(keysOfPtr + (<usize>i << 3));
    replyBulk(argPtr(at), argLen(at));
  }
}

export function cmdCommandGetkeysandflags(): void {
  const keys = keysOrReply();
  if (keys < 0) return;
  replyArray(keys);
  for (let i = 0; i < keys; i++) {
    const pair = keysOfPtr + (<usize>i << 3);
    const at = SKIP + load<u32>(pair);
    const flags = load<u32>(pair, 4);
    replyArray(2);
    replyBulk(argPtr(at), argLen(at));
    replySet(popcnt(flags));
    for (let bit = 0; bit < KEY_FLAGS.length; bit++) {
      if (flags & (1 << bit)) replySimple(unchecked(KEY_FLAGS[bit]));
    }
  }
}
