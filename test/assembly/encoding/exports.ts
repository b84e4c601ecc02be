// Test entry: every encoding function as an export of one small module.

export * from '../../../assembly/base/alloc';
export * from '../../../assembly/encoding/blob';
export * from '../../../assembly/encoding/ints';
export * from '../../../assembly/encoding/intset';
export * from '../../../assembly/encoding/listpack';
export * from '../../../assembly/encoding/lzf';
export * from '../../../assembly/encoding/ziplist';
export * from '../../../assembly/encoding/zipmap';
