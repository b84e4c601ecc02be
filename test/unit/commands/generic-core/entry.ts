// The core with what these tests need besides: role, fault injection, used memory.
export * from '../../../../assembly/index';
import { expireCycle } from '../../../../assembly/keyspace/expire';
import { lazyFreeStep, lazyPending } from '../../../../assembly/keyspace/value';
import { setMaxMemory, setPolicy, setRole } from '../../../../assembly/keyspace/state';
import { allocFaultCountdown, allocSetLimit, usedMemory } from '../../../../assembly/base/alloc';
import { debugSetMode } from '../../../../assembly/keyspace/debug';

export function role(replica: i32, readOnly: i32): void {
  setRole(replica != 0, readOnly != 0);
}
export function policy(lfu: i32, bytesMax: usize): void {
  setPolicy(lfu != 0, 10, 1);
  setMaxMemory(bytesMax);
}
export function debugMode(mode: u32): void {
  debugSetMode(mode);
}
export function cycle(): void {
  expireCycle();
}
/** Frees all that waits; how many objects there were. */
export function freeAll(): u32 {
  const n = lazyPending;
  while (lazyPending != 0) lazyFreeStep(64);
  return n;
}
export function used(): usize {
  return usedMemory;
}
export function faultAfter(allocations: i32): void {
  allocFaultCountdown = allocations;
}
export function faultLeft(): i32 {
  return allocFaultCountdown;
}
export function limitChunks(chunks: u32): void {
  allocSetLimit(chunks);
}
