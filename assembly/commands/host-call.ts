/**
 * Commands that need the world (configuration, files, INFO, roles): the host runs them. It reads
 * the arguments from resp/args.ts, writes the reply through the raw reply export, and either is
 * done when it returns or keeps the client busy until it says otherwise; nothing more is read from
 * that client meanwhile, so its order of commands holds.
 */
import { client, CLIENT_HOST_BUSY } from '../clients/client';

// @ts-ignore: decorator
@external('env', 'hostCommand')
declare function hostCommand(handle: u32, id: i32): i32;

// @ts-ignore: decorator
@external('env', 'applyProblem')
declare function hostApplyProblem(id: i32): void;

// @ts-ignore: decorator
@external('env', 'slowCommand')
declare function hostSlowCommand(handle: u32, id: i32, us: f64, flags: u32): void;

/** Runs a host command for the current client. */
export function cmdHost(id: i32): void {
  if (hostCommand(client.handle, id) != 0) client.flags |= CLIENT_HOST_BUSY;
}

/**
 * Tells the host that a command of the master's stream, still in the arguments, was not applied:
 * `id` is -1 for an unknown command, otherwise the command that answered with an error.
 */
export function reportApplyProblem(id: i32): void {
  hostApplyProblem(id);
}

/**
 * Tells the host of a command that took long (command-stats.ts), while it is in the arguments.
 * Flags: 1 SLOWLOG leaves it out, 2 it is a fast one.
 */
export function reportSlow(handle: u32, id: i32, us: f64, flags: u32): void {
  hostSlowCommand(handle, id, us, flags);
}
