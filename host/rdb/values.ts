// Values as they are handed to users, put together from records.

import {
  type PlainRecord,
  plainRecord,
  R_ELEMENT,
  R_ENTRY,
  R_ENTRY_END,
  R_FIELD,
  R_SCORED,
  R_STREAM,
  R_STRING,
  type RawRecord,
} from './records.js';

/** One part of a value, in the order of the file. */
export type RdbElement =
  | { kind: 'string'; value: Uint8Array }
  | { kind: 'element'; value: Uint8Array }
  | { kind: 'field'; field: Uint8Array; value: Uint8Array; expireAtMs: number | undefined }
  | { kind: 'member'; member: Uint8Array; score: number }
  | { kind: 'entry'; id: string; fields: [field: Uint8Array, value: Uint8Array][] }
  | { kind: 'stream'; meta: StreamMeta }
  | { kind: 'group'; group: StreamGroup }
  | { kind: 'pending'; id: string; deliveredAtMs: number; deliveries: number }
  | { kind: 'consumer'; consumer: StreamConsumer }
  | { kind: 'consumerPending'; id: string }
  | { kind: 'other'; record: PlainRecord };

export interface StreamMeta {
  length: number;
  lastId: string;
  firstId: string;
  maxDeletedId: string;
  entriesAdded: number;
}

export interface StreamGroup {
  name: Uint8Array;
  lastDeliveredId: string;
  /** undefined: not known. */
  entriesRead: number | undefined;
}

export interface StreamConsumer {
  name: Uint8Array;
  seenAtMs: number;
  /** undefined: never active. */
  activeAtMs: number | undefined;
}

/** Numbers of REC_* in assembly/rdb/opcodes.ts. */
const REC_STREAM_META = 20;
const REC_STREAM_GROUP = 21;
const REC_STREAM_PEL = 22;
const REC_STREAM_CONSUMER = 23;
const REC_STREAM_CONSUMER_PEL = 24;
const UNKNOWN = 0xffff_ffff_ffff_ffffn;

const id = (ms: bigint | undefined, seq: bigint | undefined) => `${ms ?? 0n}-${seq ?? 0n}`;

/** Turns records of a value into elements; fields of a stream entry are gathered. */
export class ElementReader {
  #entry: { kind: 'entry'; id: string; fields: [Uint8Array, Uint8Array][] } | undefined;

  /** The element that the record completes, if any. Bytes are copies. */
  element(raw: RawRecord): RdbElement | undefined {
    const { kind, bytes, view } = raw;
    switch (kind) {
      case R_STRING:
        return { kind: 'string', value: bytes.slice(8) };
      case R_ELEMENT:
        return { kind: 'element', value: bytes.slice(8) };
      case R_SCORED:
        return { kind: 'member', member: bytes.slice(16), score: view.getFloat64(8, true) };
      case R_FIELD: {
        const end = 20 + view.getUint32(16, true);
        const [field, value] = [bytes.slice(20, end), bytes.slice(end)];
        if (this.#entry !== undefined) {
          this.#entry.fields.push([field, value]);
          return undefined;
        }
        const at = view.getFloat64(8, true);
        return { kind: 'field', field, value, expireAtMs: at < 0 ? undefined : at };
      }
      case R_ENTRY: {
        const [ms, seq] = [view.getBigUint64(8, true), view.getBigUint64(16, true)];
        this.#entry = { kind: 'entry', id: id(ms, seq), fields: [] };
        return undefined;
      }
      case R_ENTRY_END: {
        const entry = this.#entry;
        this.#entry = undefined;
        return entry;
      }
      case R_STREAM:
        return streamElement(plainRecord(raw));
      default:
        return undefined;
    }
  }
}

function streamElement(record: PlainRecord): RdbElement {
  const { n, a } = record;
  const number = (i: number) => Number(n[i] ?? 0n);
  switch (record.rec) {
    case REC_STREAM_META:
      return {
        kind: 'stream',
        meta: {
          length: number(0),
          lastId: id(n[1], n[2]),
          firstId: id(n[3], n[4]),
          maxDeletedId: id(n[5], n[6]),
          entriesAdded: number(7),
        },
      };
    case REC_STREAM_GROUP: {
      const entriesRead = n[2] === UNKNOWN ? undefined : number(2);
      return { kind: 'group', group: { name: a, lastDeliveredId: id(n[0], n[1]), entriesRead } };
    }
    case REC_STREAM_PEL:
      return {
        ...{ kind: 'pending', id: id(n[0], n[1]) },
        ...{ deliveredAtMs: number(2), deliveries: number(3) },
      };
    case REC_STREAM_CONSUMER: {
      const activeAtMs = n[1] === UNKNOWN ? undefined : number(1);
      return { kind: 'consumer', consumer: { name: a, seenAtMs: number(0), activeAtMs } };
    }
    case REC_STREAM_CONSUMER_PEL:
      return { kind: 'consumerPending', id: id(n[0], n[1]) };
    default:
      return { kind: 'other', record };
  }
}
