// The table of docs/configuration.md, made from the table of directives. A unit test compares the
// file with this; `UPDATE_DOCS=1 npx vitest run test/unit/config` writes it anew.

import type { Directive } from './directive.js';
import { DIRECTIVES } from './directives.js';

const WHEN = { runtime: 'any time', start: 'at start', protected: 'protected' } as const;
const DOES = { works: 'yes', none: 'accepted, no effect yet', refused: 'refused' } as const;

function line(directive: Directive): string {
  const { name, alias, type, initial, mutability, effect } = directive;
  const names = alias === undefined ? `\`${name}\`` : `\`${name}\` (\`${alias}\`)`;
  const text = initial === '' ? '–' : `\`${initial}\``;
  return `| ${names} | ${type.name} | ${text} | ${WHEN[mutability]} | ${DOES[effect]} |`;
}

export function directiveTable(): string {
  const head =
    '| directive | kind | default | may change | has an effect |\n| --- | --- | --- | --- | --- |';
  const shown = DIRECTIVES.filter((directive) => !directive.isHidden);
  return `${head}\n${shown.map(line).join('\n')}\n`;
}
