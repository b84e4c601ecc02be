/*
 * The numbers of the RDB format and of its reader: opcodes and value types as they stand in a file,
 * and the record kinds, error codes, flags and verdicts that reader.ts speaks to its consumers.
 * It holds no code. Source: RDB.md of this project, read off Redis 7.0-8.6 and Valkey 8-9.1 dumps.
 */

// ---- opcodes: a byte where a value type could stand
/** Redis Enterprise: one length (RAM or flash), of no meaning here. */
export const OP_ENT_RAM_LRU: u32 = 107;
/** Redis Enterprise: one length, a slot number, of no meaning here. */
export const OP_ENT_SLOT: u32 = 121;
/** Redis, RDB >= 15: one hash template (id, field names). */
export const OP_HASH_TEMPLATE: u32 = 242;
/** Redis, RDB >= 13: module metadata of the next key. Valkey, RDB >= 80: a slot import job. */
export const OP_KEY_META: u32 = 243;
export const OP_SLOT_INFO: u32 = 244;
export const OP_FUNCTION: u32 = 245;
export const OP_FUNCTION_PRE_GA: u32 = 246;
export const OP_MODULE_AUX: u32 = 247;
export const OP_IDLE: u32 = 248;
export const OP_FREQ: u32 = 249;
export const OP_AUX: u32 = 250;
export const OP_RESIZEDB: u32 = 251;
export const OP_EXPIRE_MS: u32 = 252;
export const OP_EXPIRE_SEC: u32 = 253;
export const OP_SELECTDB: u32 = 254;
export const OP_EOF: u32 = 255;

// ---- value types
export const TYPE_STRING: u32 = 0;
export const TYPE_LIST: u32 = 1;
export const TYPE_SET: u32 = 2;
export const TYPE_ZSET: u32 = 3;
export const TYPE_HASH: u32 = 4;
export const TYPE_ZSET_2: u32 = 5;
export const TYPE_MODULE_PRE_GA: u32 = 6;
export const TYPE_MODULE_2: u32 = 7;
export const TYPE_HASH_ZIPMAP: u32 = 9;
export const TYPE_LIST_ZIPLIST: u32 = 10;
export const TYPE_SET_INTSET: u32 = 11;
export const TYPE_ZSET_ZIPLIST: u32 = 12;
export const TYPE_HASH_ZIPLIST: u32 = 13;
export const TYPE_LIST_QUICKLIST: u32 = 14;
export const TYPE_STREAM: u32 = 15;
export const TYPE_HASH_LISTPACK: u32 = 16;
export const TYPE_ZSET_LISTPACK: u32 = 17;
export const TYPE_LIST_QUICKLIST_2: u32 = 18;
export const TYPE_STREAM_2: u32 = 19;
export const TYPE_SET_LISTPACK: u32 = 20;
export const TYPE_STREAM_3: u32 = 21;
/** Redis 7.4 release candidates: hash with absolute field expiries. Valkey: HASH_2. */
export const TYPE_HASH_META_PRE_GA: u32 = 22;
/** Redis 7.4 release candidates only (Valkey 81 means something unknown by it). */
export const TYPE_HASH_LISTPACK_EX_PRE_GA: u32 = 23;
export const TYPE_HASH_META: u32 = 24;
export const TYPE_HASH_LISTPACK_EX: u32 = 25;
export const TYPE_STREAM_4: u32 = 26;
export const TYPE_STREAM_5: u32 = 27;
export const TYPE_ARRAY: u32 = 28;
export const TYPE_HASH_TMPL_LP: u32 = 29;
export const TYPE_HASH_TMPL_LP_REF: u32 = 30;
export const TYPE_HASH_TMPL_ARRAY: u32 = 31;
export const TYPE_HASH_TMPL_ARRAY_REF: u32 = 32;

/** Newest versions read without RDB_ALLOW_FUTURE. */
export const RDB_VERSION_MAX: u32 = 15;
export const RDB_VALKEY_VERSION: u32 = 80;

// ---- flags of rdbOpen
/** Do not compute the CRC-64; the verdict is CRC_UNCHECKED. */
export const RDB_NO_CHECKSUM: u32 = 1;
/** Read REDIS0016+ and VALKEY081+ too, until something unknown occurs. */
export const RDB_ALLOW_FUTURE: u32 = 2;

// ---- what rdbNext returns: below 1 no record, else the kind (fields: table in reader.ts)
export const RDB_ERROR: i32 = -1;
export const RDB_NEED_MORE: i32 = 0;
export const REC_EOF: i32 = 1;
export const REC_AUX: i32 = 2;
export const REC_SELECTDB: i32 = 3;
export const REC_RESIZEDB: i32 = 4;
export const REC_SLOT_INFO: i32 = 5;
export const REC_FUNCTION: i32 = 6;
export const REC_FUNCTION_PRE_GA: i32 = 7;
export const REC_MODULE_AUX: i32 = 8;
export const REC_SLOT_IMPORT: i32 = 9;
export const REC_HASH_TEMPLATE: i32 = 10;
export const REC_KEY: i32 = 11;
export const REC_STRING: i32 = 12;
export const REC_VALUE_SKIPPED: i32 = 13;
export const REC_VALUE_END: i32 = 14;
export const REC_BLOB: i32 = 15;
export const REC_ELEMENT: i32 = 16;
export const REC_FIELD: i32 = 17;
export const REC_SCORED: i32 = 18;
export const REC_STREAM_NODE: i32 = 19;
export const REC_STREAM_META: i32 = 20;
export const REC_STREAM_GROUP: i32 = 21;
export const REC_STREAM_PEL: i32 = 22;
export const REC_STREAM_CONSUMER: i32 = 23;
export const REC_STREAM_CONSUMER_PEL: i32 = 24;
export const REC_STREAM_NACK: i32 = 25;
export const REC_STREAM_IDMP: i32 = 26;
export const REC_STREAM_IDMP_PRODUCER: i32 = 27;
export const REC_STREAM_IDMP_ENTRY: i32 = 28;
export const REC_STREAM_IDMP_END: i32 = 29;
/** The next bytes of a value that is kept in pieces (raw.ts). */
export const REC_RAW: i32 = 30;
/** Module metadata of the next key, where raw bytes are kept (raw.ts). */
export const REC_KEY_META: i32 = 31;

// ---- containers of a BLOB
export const BLOB_LISTPACK: u32 = 1;
export const BLOB_ZIPLIST: u32 = 2;
export const BLOB_INTSET: u32 = 3;
export const BLOB_ZIPMAP: u32 = 4;

// ---- forms of a string in the file
export const FORM_RAW: u32 = 0;
export const FORM_INT: u32 = 1;
export const FORM_LZF: u32 = 2;

// ---- verdicts on the checksum, valid with REC_EOF
export const CRC_OK: u32 = 1;
/** RDB < 5 has none. */
export const CRC_ABSENT: u32 = 2;
/** The writer had rdbchecksum off: eight zero bytes. */
export const CRC_DISABLED: u32 = 3;
/** The reader was opened with RDB_NO_CHECKSUM. */
export const CRC_UNCHECKED: u32 = 4;

// ---- errors
export const ERR_MAGIC: i32 = 1;
export const ERR_VERSION: i32 = 2;
export const ERR_OPCODE: i32 = 3;
export const ERR_TYPE: i32 = 4;
export const ERR_MODULE_PRE_GA: i32 = 5;
export const ERR_LENGTH: i32 = 6;
export const ERR_STRING: i32 = 7;
export const ERR_STRING_TOO_LONG: i32 = 8;
export const ERR_LZF: i32 = 9;
export const ERR_LZF_RATIO: i32 = 10;
export const ERR_MEMORY: i32 = 11;
export const ERR_MODULE_OPCODE: i32 = 12;
export const ERR_MODULE_AUX: i32 = 13;
export const ERR_CHECKSUM: i32 = 14;
export const ERR_TRUNCATED: i32 = 15;
export const ERR_DB: i32 = 16;
export const ERR_SCORE: i32 = 17;
export const ERR_CONTAINER: i32 = 18;
export const ERR_STREAM_ID: i32 = 19;
export const ERR_TEMPLATE_UNKNOWN: i32 = 20;
export const ERR_TEMPLATE_DUPLICATE: i32 = 21;
export const ERR_TEMPLATE: i32 = 22;
export const ERR_ARRAY: i32 = 23;
export const ERR_PREFIX: i32 = 24;
export const ERR_PAYLOAD_FOOTER: i32 = 25;
export const ERR_PAYLOAD_VERSION: i32 = 26;
export const ERR_PAYLOAD_TRAILING: i32 = 27;
export const ERR_INTERNAL: i32 = 28;
