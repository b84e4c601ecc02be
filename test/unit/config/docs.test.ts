// The documents say what the tables say.

import fs from 'node:fs';
import { expect, test } from 'vitest';
import { directiveTable } from '../../../host/config/document.js';
import { ERROR_CODES, isRespiteError, RespiteError } from '../../../host/errors.js';

const file = (name: string): URL => new URL(`../../../docs/${name}`, import.meta.url);

test('docs/configuration.md has the table of directives', () => {
  const text = fs.readFileSync(file('configuration.md'), 'utf8');
  const start = text.indexOf('## All directives\n\n') + '## All directives\n\n'.length;
  if (process.env.UPDATE_DOCS) {
    fs.writeFileSync(file('configuration.md'), text.slice(0, start) + directiveTable());
    return;
  }
  expect(text.slice(start)).toBe(directiveTable());
});

test('docs/errors.md explains every code, and no other', () => {
  const text = fs.readFileSync(file('errors.md'), 'utf8');
  const listed = [...text.matchAll(/^\| `(ERR_RESPITE_[A-Z_]+)`/gm)].map((match) => match[1]);
  expect(listed).toEqual(Object.keys(ERROR_CODES));
});

test('errors carry code, details and cause', () => {
  const cause = new Error('below');
  const details = { phase: 'load', retries: 2 } as const;
  const error: unknown = new RespiteError('ERR_RESPITE_SYNC', undefined, { cause, details });
  expect(isRespiteError(error)).toBe(true);
  expect(isRespiteError(error, 'ERR_RESPITE_AUTH')).toBe(false);
  if (!isRespiteError(error, 'ERR_RESPITE_SYNC')) throw new Error('not narrowed');
  expect(error.details.phase).toBe('load');
  expect(error.cause).toBe(cause);
  expect(error.message).toBe('Synchronisation with the master failed');
});
