// `respite rdb memory`: a line a key with all that was measured.

import { type Command, Option } from 'commander';
import { MODE_MEMORY } from '../../core/inspector.js';
import { type MemoryOptions, memoryPlaces } from '../../rdb/report-memory.js';
import { perform, sourceCommand } from './common.js';

export function addMemory(rdb: Command): void {
  sourceCommand(rdb, {
    name: 'memory',
    summary: 'a line a key: type, encoding, memory, bytes in the file, elements, expiry, use',
    examples: [
      ['memory dump.rdb', 'CSV'],
      ['memory --format ndjson dump.rdb', 'an object a line'],
      ['memory --min-size 1mb -o large.csv dump.rdb', 'the large keys'],
    ],
  })
    .addOption(
      new Option('--format <format>', 'of the lines').choices(['csv', 'ndjson']).default('csv'),
    )
    .option('--no-header', 'no line with the names of the columns')
    .action(
      perform((job) => {
        const { format, header } = job.options as MemoryOptions;
        return job.pump(MODE_MEMORY, memoryPlaces({ format: format!, header: header !== false }));
      }),
    );
}
