// The output of MODE_CONVERT, cut into its frames (assembly/inspect/convert-parts.ts), and what it
// is asked with: the places of options (assembly/inspect/convert-route.ts).

export const OPT_VERSION = 0;
export const OPT_VALKEY = 1;
export const OPT_FLAGS = 2;
export const OPT_PACK = 3;
export const OPT_SPLIT = 4;
export const OPT_SPLIT_COUNT = 5;
export const OPT_SPLIT_LIST = 6;
export const OPT_DB_MAP = 7;
export const OPT_PASS = 8;
export const OPT_SEEN_BYTES = 9;

/** Flags in OPT_FLAGS, as in assembly/inspect/convert.ts. */
export const CONVERT_DROP_EXPIRY = 1;
export const CONVERT_ALL = 2;
export const CONVERT_SALVAGE = 4;
export const CONVERT_GOES_ON = 8;
export const CONVERT_MORE_FOLLOWS = 16;
export const CONVERT_UNIQUE = 32;
export const CONVERT_UNIQUE_FUNCTIONS = 64;

/** What the target cannot hold, in the order of assembly/inspect/convert-loss.ts. */
export const LOSS_KINDS = [
  ...(['key', 'fieldExpiry', 'unownedPending', 'idempotence', 'streamOffsets'] as const),
  ...(['activeTime', 'function', 'moduleAux', 'keyMetadata', 'expiry', 'expiryMs'] as const),
  ...(['eviction', 'slotImport', 'duplicate', 'needsModule', 'damaged'] as const),
  'duplicateFunction',
] as const;
export type LossKind = (typeof LOSS_KINDS)[number];

/** Something of the source that is not in the output, or not as it was. */
export interface RdbLoss {
  /**
   * `key`: the whole key, whose type has no form in that version; `fieldExpiry`: expiries of hash
   * fields; `unownedPending`: pending entries of a stream without a consumer; `idempotence`: state
   * of a stream's producers; `streamOffsets`: greatest deleted id, entries added and read;
   * `activeTime`: of consumers; `function`: a library (`key` is its first line); `moduleAux`: data
   * of a module (`key` is its name); `keyMetadata`: data of modules beside a key; `expiry`: one
   * after 2038, in RDB 1 and 2; `expiryMs`: milliseconds, rounded up to seconds; `eviction`: idle
   * time or frequency; `slotImport`: a slot being imported; `duplicate`: the key was written
   * before; `needsModule`: nothing is lost, but only servers with that module read the file;
   * `damaged`: a value that was damaged inside (`salvage`); `duplicateFunction`: a library of that
   * name was written before, with other code.
   */
  kind: LossKind;
  db: number;
  /** Name of the key, at most its first 1024 bytes. */
  key: Uint8Array;
  /** The type byte of the source. */
  rdbType: number;
  /** How many fields, entries, consumers … are concerned. */
  count: number;
}

export type Frame =
  | { kind: 'data'; part: number; bytes: Uint8Array }
  | { kind: 'open'; part: number; label: number }
  | { kind: 'close'; part: number; bytes: number; keys: number }
  | { kind: 'loss'; loss: RdbLoss };

const HEAD = 12;
const FRAME_DATA = 1;
const FRAME_OPEN = 2;
const FRAME_CLOSE = 3;

/**
 * Cuts output into frames. Data are handed on as they come, as views; of other frames, which are
 * small, one that an output ends in is put together.
 */
export class FrameCutter {
  /** The head, or the whole of a small frame, in the making. */
  readonly #open: number[] = [];
  #part = 0;
  #dataLeft = 0;

  *cut(output: Uint8Array): Generator<Frame> {
    let at = 0;
    while (at < output.length) {
      if (this.#dataLeft > 0) {
        const bytes = output.subarray(at, at + this.#dataLeft);
        this.#dataLeft -= bytes.length;
        at += bytes.length;
        yield { kind: 'data', part: this.#part, bytes };
        continue;
      }
      const want = this.#wanted();
      const bytes = output.subarray(at, at + want - this.#open.length);
      at += bytes.length;
      for (const byte of bytes) this.#open.push(byte);
      if (this.#open.length === want) yield* this.#step();
    }
  }

  /** Bytes of the head; of the frame once its head is there. */
  #wanted(): number {
    if (this.#open.length < HEAD) return HEAD;
    return HEAD + this.#view().getUint32(8, true);
  }

  #view(): DataView {
    return new DataView(Uint8Array.from(this.#open).buffer);
  }

  *#step(): Generator<Frame> {
    const view = this.#view();
    const kind = view.getUint32(0, true);
    const part = view.getUint32(4, true);
    const length = view.getUint32(8, true);
    if (kind === FRAME_DATA) {
      this.#part = part;
      this.#dataLeft = length;
    } else if (this.#open.length < HEAD + length) {
      return;
    } else if (kind === FRAME_OPEN) {
      yield { kind: 'open', part, label: view.getUint32(HEAD, true) };
    } else if (kind === FRAME_CLOSE) {
      const number = (offset: number) => Number(view.getBigUint64(HEAD + offset, true));
      yield { kind: 'close', part, bytes: number(0), keys: number(8) };
    } else {
      yield { kind: 'loss', loss: lossOf(view) };
    }
    this.#open.length = 0;
  }
}

function lossOf(view: DataView): RdbLoss {
  return {
    kind: LOSS_KINDS[view.getUint32(HEAD, true)] as LossKind,
    db: view.getUint32(HEAD + 4, true),
    count: Number(view.getBigUint64(HEAD + 8, true)),
    rdbType: view.getUint32(HEAD + 16, true),
    key: new Uint8Array(view.buffer, HEAD + 20).slice(),
  };
}
