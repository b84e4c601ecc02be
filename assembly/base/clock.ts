/**
 * The host's stopwatch, for measuring how long commands take: SLOWLOG, LATENCY, INFO commandstats.
 * It is an input like any other (host/core/record.ts writes every reading into the log), and
 * nothing that a data set or a reply depends on may look at it: what time it is comes with the
 * calls into the core.
 *
 * A reading costs about as much as a GET, so most commands run without one. `clockMark` is for
 * the places that only long work comes through: a command which nobody times is from then on.
 */

// @ts-ignore: decorator
@external('env', 'clockNs')
declare function hostClockNs(): f64;

/** Nanoseconds from an arbitrary origin; never steps backwards. */
// @ts-ignore: decorator
@inline export function clockNs(): f64 {
  return hostClockNs();
}

/** When `clockMark` was first called since `clockForget`; 0 = it was not. */
export let clockMarked: f64 = 0;

/** A command begins. */
// @ts-ignore: decorator
@inline export function clockForget(): void {
  clockMarked = 0;
}

/** The running command turns out to be long. */
export function clockMark(): void {
  if (clockMarked == 0) clockMarked = hostClockNs();
}
