// What an export could not say: the other side of assembly/inspect/left-out.ts.

import type { Inspector } from '../core/inspector.js';

/** Reasons in the order of their numbers, from 1 on. */
const REASONS = [
  ...['module', 'type', 'empty', 'expired', 'field-expiry', 'detail', 'not-a-number'],
  ...['function', 'as-commands'],
] as const;

/**
 * Why something is missing: `module` and `type`, values that no command can make; `empty`, keys
 * without elements; `expired`, keys that were expired when they were exported; `field-expiry`, the
 * target knows no expiry of hash fields, which stay; `detail`, of a stream: idempotent producers,
 * pending entries without a consumer, consumers without entries before 6.2; of any key: metadata of
 * modules; `not-a-number`, members with such a score; `function`, libraries the target cannot load;
 * `as-commands`, nothing missing, but written as commands although RESTORE was asked for.
 */
export type LeftOutReason = (typeof REASONS)[number];

/** How often, by reason, and the first 100 keys. */
export interface LeftOut {
  counts: Partial<Record<LeftOutReason, number>>;
  examples: { reason: LeftOutReason; db: number; key: Uint8Array }[];
}

export function readLeftOut(inspector: Inspector): LeftOut {
  const result: LeftOut = { counts: {}, examples: [] };
  REASONS.forEach((reason, i) => {
    const count = inspector.leftOutCount(i + 1);
    if (count > 0) result.counts[reason] = count;
  });
  const bytes = inspector.leftOutExamples;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint16(at + 2, true);
    const reason = REASONS[view.getUint16(at, true) - 1]!;
    const key = bytes.slice(at + 8, at + 8 + length);
    result.examples.push({ reason, db: view.getUint32(at + 4, true), key });
    at += (8 + length + 3) & ~3;
  }
  return result;
}
