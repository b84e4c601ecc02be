// Values of some keys, element by element, however large they are; and what a damaged file says.
//
//   node examples/rdb-values/main.mjs dump.rdb 'user:*'

import { isRespiteError, readRdb } from 'respite/rdb';

const [source = 'dump.rdb', match = '*'] = process.argv.slice(2);
const text = (bytes) => Buffer.from(bytes).toString();

try {
  for await (const entry of readRdb(source, { filter: { match, limit: 20 }, values: 'stream' })) {
    console.log(`${entry.type} ${text(entry.key)}`);
    let shown = 0;
    for await (const element of entry.read()) {
      // what is not read to its end is passed over
      if (++shown > 3) break;
      if (element.kind === 'field') console.log(`  ${text(element.field)}: ${text(element.value)}`);
      else if (element.kind === 'member')
        console.log(`  ${text(element.member)}: ${element.score}`);
      else if (element.kind === 'entry') console.log(`  ${element.id}`);
      else if ('value' in element) console.log(`  ${text(element.value).slice(0, 60)}`);
    }
  }
} catch (error) {
  if (!isRespiteError(error, 'ERR_RESPITE_RDB_FORMAT')) throw error;
  // everything before that place was delivered
  const { offset, reason, key } = error.details;
  console.log(`damaged at ${offset}: ${reason}${key === undefined ? '' : ` in ${key}`}`);
  process.exitCode = 1;
}
