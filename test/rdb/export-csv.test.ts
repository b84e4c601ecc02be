// exportCsv: both sets of columns, beside readRdb's facts and the tables that the Go tool's own
// project keeps of its dumps.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exportCsv, type RdbEntry, readRdb } from '../../host/rdb/index.js';
import { gathered, latin1, textOf } from '../support/rdb-export.js';
import { DATA, hasData } from '../support/rdb-harness.js';
import { ROOT } from '../support/servers.js';

const OWN = join(ROOT, 'test/rdb/data');
const own = readdirSync(OWN).filter((name) => name.endsWith('.rdb'));

const encodingOf = ({ type, encoding }: RdbEntry): string =>
  type === 'string' ? 'string' : type === 'stream' ? 'listpack' : encoding;

/** As the Go tool writes sizes: cloudfoundry/bytefmt, whose %.1f rounds ties to even. */
function readable(bytes: number): string {
  const at = bytes === 0 ? 0 : Math.floor(Math.log2(bytes) / 10);
  const tenths = (bytes / 1024 ** at) * 10;
  const down = Math.floor(tenths);
  const isUp = tenths - down > 0.5 || (tenths - down === 0.5 && down % 2 === 1);
  return `${(down + Number(isUp)) / 10}${'BKMGT'[at]}`;
}

describe.each(own)('%s', (name) => {
  const bytes = readFileSync(join(OWN, name));
  const facts = async () => {
    const out: RdbEntry[] = [];
    for await (const entry of readRdb(bytes)) out.push(entry);
    return out;
  };

  test('columns of redis-rdb-tools', async () => {
    const lines = (await textOf(exportCsv(bytes))).trimEnd().split('\n');
    expect(lines.shift()).toBe(
      'database,type,key,size_in_bytes,encoding,num_elements,len_largest_element,expiry',
    );
    const want = (await facts()).map((entry) => {
      const type = entry.type === 'zset' ? 'sortedset' : entry.type;
      const at = entry.expireAtMs;
      const time = at === undefined ? '' : new Date(at).toISOString().slice(0, 23);
      const expiry = time.endsWith('.000') ? time.slice(0, 19) : time && `${time}000`;
      return [entry.db, type, latin1(entry.key), entry.memoryBytes, encodingOf(entry), entry.count]
        .concat([-1, expiry])
        .join();
    });
    // the longest single string of a hash is no fact of readRdb's
    expect(lines.map((line) => line.replace(/,\d+,([^,]*)$/, ',-1,$1'))).toEqual(want);
  });

  test('columns of the Go tool', async () => {
    const text = await textOf(exportCsv(bytes, { columns: 'go', header: false }));
    const want = (await facts()).map((entry) => {
      const count = entry.type === 'string' ? 0 : entry.count;
      const at = entry.expireAtMs;
      const expiry = at === undefined ? '' : `${new Date(at).toISOString().slice(0, 19)}Z`;
      const size = entry.memoryBytes;
      return [entry.db, latin1(entry.key), entry.type, size, readable(size), count]
        .concat([encodingOf(entry), expiry])
        .join();
    });
    expect(text === '' ? [] : text.trimEnd().split('\n')).toEqual(want);
  });

  test('truncated: whole lines, then the error', async () => {
    const whole = await textOf(exportCsv(bytes));
    for (let end = 9; end < bytes.length; end += 97) {
      const { bytes: text, error } = await gathered(exportCsv(bytes.subarray(0, end)));
      expect(error?.code).toBe('ERR_RESPITE_RDB_FORMAT');
      expect(whole.startsWith(text.toString())).toBe(true);
      expect(text.toString().endsWith('\n')).toBe(true);
    }
  });
});

const CASES = join(DATA, 'fixtures/hdt3213-rdb/cases');
const tables = hasData
  ? readdirSync(CASES).filter(
      (name) => name.endsWith('.csv') && existsSync(join(CASES, name.replace('.csv', '.rdb'))),
    )
  : [];

describe.skipIf(tables.length === 0)('tables of HDT3213/rdb', () => {
  // tree.csv is a report by prefix
  test.each(tables.filter((name) => !name.startsWith('tree')))('%s', async (name) => {
    const rows = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.split(','));
    const want = rows(readFileSync(join(CASES, name), 'utf8'));
    const file = readFileSync(join(CASES, name.replace('.csv', '.rdb')));
    const got = rows(await textOf(exportCsv(file, { columns: 'go' })));
    expect(got[0]).toEqual(want[0]);
    const plain = ([db, key, type, , , count, , at]: string[]) => [
      ...[db, key, type, type === 'stream' ? '' : count],
      at ? Math.floor(Date.parse(at) / 1000) : '',
    ];
    expect(got.slice(1).map(plain)).toEqual(want.slice(1).map(plain));
  });
});
