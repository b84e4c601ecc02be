/**
 * Names of types and encodings, as TYPE and OBJECT ENCODING of Redis say them.
 */
import {
  SHAPE_HASH, SHAPE_LIST, SHAPE_SET, SHAPE_STREAM, SHAPE_STRING, SHAPE_ZSET,
} from './event';
import {
  AS_EMBSTR, AS_HASHTABLE, AS_INT, AS_INTSET, AS_LISTPACK, AS_QUICKLIST, AS_RAW, AS_SKIPLIST,
  AS_STREAM,
} from './facts';

export function shapeName(shape: u32): string {
  switch (shape) {
    case SHAPE_STRING: return 'string';
    case SHAPE_LIST: return 'list';
    case SHAPE_SET: return 'set';
    case SHAPE_ZSET: return 'zset';
    case SHAPE_HASH: return 'hash';
    case SHAPE_STREAM: return 'stream';
    default: return 'other';
  }
}

export function encodingName(encoding: u32): string {
  switch (encoding) {
    case AS_RAW: return 'raw';
    case AS_INT: return 'int';
    case AS_EMBSTR: return 'embstr';
    case AS_LISTPACK: return 'listpack';
    case AS_QUICKLIST: return 'quicklist';
    case AS_INTSET: return 'intset';
    case AS_HASHTABLE: return 'hashtable';
    case AS_SKIPLIST: return 'skiplist';
    case AS_STREAM: return 'stream';
    default: return 'unknown';
  }
}
