/** What INFO commandstats shows: calls and failures of every command. */
import { CMD_COUNT } from './generated/ids';

/** One row per command: calls u64, failed calls u32, rejected calls u32. */
const commandStats = memory.data(<i32>CMD_COUNT * 16, 16);

export function commandCalls(id: i32): u64 {
  return load<u64>(commandStats + (<usize>id << 4));
}
export function commandFailed(id: i32): u32 {
  return load<u32>(commandStats + (<usize>id << 4), 8);
}
export function commandRejected(id: i32): u32 {
  return load<u32>(commandStats + (<usize>id << 4), 12);
}
export function commandStatsReset(): void {
  memory.fill(commandStats, 0, <usize>CMD_COUNT * 16);
}

// @ts-ignore: decorator
@inline export function countCall(id: i32): void {
  const at = commandStats + (<usize>id << 4);
  store<u64>(at, load<u64>(at) + 1);
}

export function countFailed(id: i32): void {
  countStat(id, 8);
}
export function countRejected(id: i32): void {
  countStat(id, 12);
}

function countStat(id: i32, off: usize): void {
  const at = commandStats + (<usize>id << 4) + off;
  store<u32>(at, load<u32>(at) + 1);
}
