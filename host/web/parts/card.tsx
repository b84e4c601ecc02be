// A titled box, and a figure with a name.

import type { ComponentChildren } from 'preact';

interface CardProps {
  title: string;
  note?: ComponentChildren;
  /** Columns it takes of the grid around it. */
  wide?: boolean;
  children: ComponentChildren;
}

export function Card({ title, note, wide, children }: CardProps) {
  return (
    <section class={wide ? 'card wide' : 'card'} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {note !== undefined && <p class="note">{note}</p>}
      </header>
      {children}
    </section>
  );
}

interface FigureProps {
  name: string;
  value: string;
  note?: string | undefined;
}

export function Figure({ name, value, note }: FigureProps) {
  return (
    <div class="figure">
      <dt>{name}</dt>
      <dd>
        <b>{value}</b>
        {note !== undefined && <span>{note}</span>}
      </dd>
    </div>
  );
}
