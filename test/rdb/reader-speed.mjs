// How fast the reader goes through a string-heavy dump, by itself: node test/rdb/reader-speed.mjs
// [MB] [value bytes]. Prints MB/s with and without the checksum. Not a test.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const mb = Number(process.argv[2] ?? 200);
const valueBytes = Number(process.argv[3] ?? 200);
const out = join(tmpdir(), `rdb-speed-${process.pid}.wasm`);
execFileSync(process.execPath, [
  'node_modules/assemblyscript/bin/asc.js',
  'test/support/rdb-entry.ts',
  '--config',
  'asconfig.json',
  '-o',
  out,
]);
const memory = new WebAssembly.Memory({ initial: 65536, maximum: 65536 });
const { exports: x } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(out)), {
  env: { memory, abort() {} },
});
x.init();
const parts = [Buffer.from('REDIS0010\xfe\x00', 'latin1')];
const value = Buffer.alloc(valueBytes, 'v');
const head =
  valueBytes < 64
    ? Buffer.from([valueBytes])
    : Buffer.from([0x40 | (valueBytes >> 8), valueBytes & 255]);
let size = 0;
let seed = 1;
while (size < mb * 1e6) {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  const key = `key:${String(seed).padStart(12, '0')}`;
  const record = Buffer.concat([Buffer.from([0, key.length]), Buffer.from(key), head, value]);
  parts.push(record);
  size += record.length;
}
parts.push(Buffer.from([0xff]));
const body = Buffer.concat(parts);
const file = x.alloc(body.length + 8) >>> 0;
new Uint8Array(memory.buffer, file, body.length).set(body);
const crc = x.crc64(0n, file, body.length);
new DataView(memory.buffer).setBigInt64(file + body.length, crc, true);
const len = body.length + 8;
for (const flags of [0, 1]) {
  for (const chunk of [65536, 1 << 20]) {
    let best = Infinity;
    let records = 0n;
    for (let i = 0; i < 5; i++) {
      const r = x.open(flags);
      const t = process.hrtime.bigint();
      records = x.drain(r, file, len, chunk);
      best = Math.min(best, Number(process.hrtime.bigint() - t));
      x.close(r);
    }
    const speed = (len / 1e6 / (best / 1e9)).toFixed(0);
    const each = (best / Number(records)).toFixed(1);
    const sum = flags ? 'off' : 'on';
    console.log(`checksum ${sum} chunk ${chunk}: ${speed} MB/s, ${records} records, ${each} ns`);
  }
}
