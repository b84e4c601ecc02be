// Keys in tables: one line, and what is needed to open them.

import type { KeyRow } from '../../rdb/analysis-types.js';
import type { DiffEntry } from '../../rdb/diff.js';
import type { KeyFacts } from '../../rdb/records.js';
import { bytes, bytesLine, bytesOf, count, ttl } from '../format.js';
import type { Source } from '../protocol.js';
import type { Column } from './table.js';
import { TypeTag } from './type-tag.js';

/** A key whose value is wanted. */
export interface OpenKey {
  db: number;
  key: Uint8Array;
  /** `key` is only how the name begins. */
  isCut?: boolean;
  /** Undefined: it must be looked for. */
  offset: number | undefined;
  /** The file it is in, where that is not the one in hand. */
  source?: Source;
  /** What is known of it already, also where its value is not read to its end. */
  known?: KnownFacts;
}

export type KnownFacts = Pick<KeyFacts, 'encoding' | 'memoryBytes' | 'fileBytes' | 'count'>;

/** What tables of keys show, whichever way the key came. */
export interface KeyLine {
  open: OpenKey;
  text: string;
  facts: Pick<KeyFacts, 'db' | 'type' | 'encoding' | 'memoryBytes' | 'fileBytes' | 'count'> & {
    expireAtMs?: number | null | undefined;
    largest: number;
  };
}

export function lineOfFacts(facts: KeyFacts): KeyLine {
  const { db, key, offset } = facts;
  return { open: { db, key, offset, known: facts }, text: bytesLine(key), facts };
}

export function lineOfDiff(entry: DiffEntry): KeyLine {
  const { db, key } = entry;
  const facts = { ...entry, encoding: 'unknown' as const, largest: 0 };
  const open = { db, key, offset: undefined, known: facts };
  return { open, text: bytesLine(key), facts };
}

export function lineOfRow(row: KeyRow): KeyLine {
  const { db, offset } = row;
  const isWhole = row.keyBytes <= 512;
  const more = isWhole ? '' : '…';
  const open = { db, key: bytesOf(row.key), isCut: !isWhole, offset, known: row };
  return { open, text: row.key.text + more, facts: row };
}

export function keyColumns(nowMs: number, hasDatabases: boolean): Column<KeyLine>[] {
  const columns: Column<KeyLine>[] = [
    {
      ...{ id: 'key', title: 'Key', width: 'minmax(180px, 1fr)' },
      value: ({ text }) => text,
      render: ({ text }) => <code title={text}>{text}</code>,
    },
    {
      ...{ id: 'type', title: 'Type', width: '96px' },
      value: ({ facts }) => facts.type,
      render: ({ facts }) => <TypeTag type={facts.type} />,
    },
    {
      ...{ id: 'encoding', title: 'Encoding', width: '96px' },
      value: ({ facts }) => facts.encoding,
      render: ({ facts }) => facts.encoding,
    },
    {
      ...{ id: 'db', title: 'DB', width: '52px', isNumber: true },
      value: ({ facts }) => facts.db,
      render: ({ facts }) => facts.db,
    },
    {
      ...{ id: 'count', title: 'Length', width: '96px', isNumber: true },
      value: ({ facts }) => facts.count,
      render: ({ facts }) => (facts.type === 'string' ? bytes(facts.count) : count(facts.count)),
    },
    {
      ...{ id: 'memory', title: 'Memory', width: '96px', isNumber: true },
      value: ({ facts }) => facts.memoryBytes,
      render: ({ facts }) => bytes(facts.memoryBytes),
    },
    {
      ...{ id: 'file', title: 'In file', width: '96px', isNumber: true },
      value: ({ facts }) => facts.fileBytes,
      render: ({ facts }) => bytes(facts.fileBytes),
    },
    {
      ...{ id: 'ttl', title: 'Expires in', width: '104px', isNumber: true },
      value: ({ facts }) => facts.expireAtMs ?? Number.POSITIVE_INFINITY,
      render: ({ facts }) => ttl(facts.expireAtMs, nowMs),
    },
  ];
  return hasDatabases ? columns : columns.filter(({ id }) => id !== 'db');
}
