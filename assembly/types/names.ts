/** Names of types and encodings, as TYPE and OBJECT ENCODING tell them. */
import {
  ENC_EMBSTR,
  ENC_HT,
  ENC_INT,
  ENC_INTSET,
  ENC_LISTPACK,
  ENC_LISTPACK_EX,
  ENC_QUICKLIST,
  ENC_RAW,
  ENC_SKIPLIST,
  ENC_STREAM,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_SET,
  TYPE_STREAM,
  TYPE_STRING,
  TYPE_ZSET,
} from './object';

export function typeName(type: u32): string {
  switch (type) {
    case TYPE_STRING: return 'string';
    case TYPE_LIST: return 'list';
    case TYPE_SET: return 'set';
    case TYPE_ZSET: return 'zset';
    case TYPE_HASH: return 'hash';
    case TYPE_STREAM: return 'stream';
    default: return 'unknown';
  }
}

export function encodingName(encoding: u32): string {
  switch (encoding) {
    case ENC_RAW: return 'raw';
    case ENC_INT: return 'int';
    case ENC_HT: return 'hashtable';
    case ENC_INTSET: return 'intset';
    case ENC_SKIPLIST: return 'skiplist';
    case ENC_EMBSTR: return 'embstr';
    case ENC_QUICKLIST: return 'quicklist';
    case ENC_STREAM: return 'stream';
    case ENC_LISTPACK: return 'listpack';
    case ENC_LISTPACK_EX: return 'listpackex';
    default: return 'unknown';
  }
}
