/*
 * The reasons of the reader's errors as text, in English, for messages and logs. Not here: the
 * offset, key and database a message should name as well; they are fields of the reader.
 *
 * The texts are string literals. Literals are static data (UTF-16, no allocation); they are copied
 * out as ASCII.
 */
import {
  ERR_ARRAY, ERR_CHECKSUM, ERR_CONTAINER, ERR_DB, ERR_LENGTH, ERR_LZF, ERR_LZF_RATIO, ERR_MAGIC,
  ERR_MEMORY, ERR_MODULE_AUX, ERR_MODULE_OPCODE, ERR_MODULE_PRE_GA, ERR_OPCODE, ERR_PAYLOAD_FOOTER,
  ERR_PAYLOAD_TRAILING, ERR_PAYLOAD_VERSION, ERR_PREFIX, ERR_SCORE, ERR_STREAM_ID, ERR_STRING,
  ERR_STRING_TOO_LONG, ERR_TEMPLATE, ERR_TEMPLATE_DUPLICATE, ERR_TEMPLATE_UNKNOWN, ERR_TRUNCATED,
  ERR_TYPE, ERR_VERSION,
} from './opcodes';

/** Room rdbErrorText needs. */
export const ERROR_TEXT_MAX: usize = 80;

/** Write the reason `code` (ERR_*) stands for at `dst` and return its length. */
export function rdbErrorText(code: i32, dst: usize): usize {
  const text = reason(code);
  const from = changetype<usize>(text);
  const len = min<usize>(text.length, ERROR_TEXT_MAX);
  for (let i: usize = 0; i < len; i++) store<u8>(dst + i, load<u8>(from + (i << 1)));
  return len;
}

function reason(code: i32): string {
  switch (code) {
    case ERR_MAGIC: return 'not an RDB file';
    case ERR_VERSION: return 'RDB version not supported';
    case ERR_OPCODE: return 'unknown opcode';
    case ERR_TYPE: return 'unknown value type';
    case ERR_MODULE_PRE_GA: return 'module value of a pre-release format';
    case ERR_LENGTH: return 'invalid length';
    case ERR_STRING: return 'invalid string encoding';
    case ERR_STRING_TOO_LONG: return 'string too long';
    case ERR_LZF: return 'invalid LZF string';
    case ERR_LZF_RATIO: return 'LZF string claims more than its bytes can hold';
    case ERR_MEMORY: return 'out of memory';
    case ERR_MODULE_OPCODE: return 'unknown opcode in module data';
    case ERR_MODULE_AUX: return 'invalid module auxiliary field';
    case ERR_CHECKSUM: return 'checksum mismatch';
    case ERR_TRUNCATED: return 'unexpected end of file';
    case ERR_DB: return 'database number out of range';
    case ERR_SCORE: return 'invalid score';
    case ERR_CONTAINER: return 'unknown quicklist container';
    case ERR_STREAM_ID: return 'stream node id is not 16 bytes';
    case ERR_TEMPLATE_UNKNOWN: return 'unknown hash template';
    case ERR_TEMPLATE_DUPLICATE: return 'hash template declared twice';
    case ERR_TEMPLATE: return 'invalid hash template';
    case ERR_ARRAY: return 'invalid array';
    case ERR_PREFIX: return 'key prefix without a key';
    case ERR_PAYLOAD_FOOTER: return 'payload checksum or size wrong';
    case ERR_PAYLOAD_VERSION: return 'payload version not supported';
    case ERR_PAYLOAD_TRAILING: return 'bytes after the payload\'s value';
    default: return 'internal error';
  }
}
