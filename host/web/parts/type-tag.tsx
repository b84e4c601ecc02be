// The colours of types, the same everywhere: a tag with the name, and the CSS variable for charts.

import type { ValueType } from '../../core/inspector.js';

export function TypeTag({ type }: { type: ValueType }) {
  return (
    <span class="type">
      <i class={`swatch type-${type}`} aria-hidden="true" />
      {type}
    </span>
  );
}

/** The colour of a type as the style sheet has it now. */
export function typeColour(type: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--type-${type}`).trim();
}
