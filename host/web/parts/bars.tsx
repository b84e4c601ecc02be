// Shares of a whole as labelled bars: a table that needs no chart.

import type { ComponentChildren } from 'preact';
import { percent } from '../format.js';

export interface Bar {
  id: string;
  name: ComponentChildren;
  value: number;
  /** The value as text. */
  text: string;
  /** More figures, a column each. */
  more?: readonly string[];
  /** Class of its colour. */
  colour?: string;
}

interface BarsProps {
  label: string;
  columns: readonly string[];
  bars: readonly Bar[];
}

export function Bars({ label, columns, bars }: BarsProps) {
  const all = bars.reduce((sum, { value }) => sum + value, 0);
  const most = Math.max(1, ...bars.map(({ value }) => value));
  return (
    <table class="bars" aria-label={label}>
      <thead>
        <tr>
          {columns.map((title, i) => (
            <th key={title} scope="col" class={i === 0 ? '' : 'number'}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {bars.map(({ id, name, value, text, more = [], colour = '' }) => (
          <tr key={id}>
            <th scope="row">
              {name}
              {value > 0 && (
                <i
                  class={`bar ${colour}`}
                  aria-hidden="true"
                  style={{ width: `${(100 * value) / most}%` }}
                />
              )}
            </th>
            <td class="number">
              {text} <small>{percent(value, all)}</small>
            </td>
            {more.map((cell, i) => (
              <td key={columns[i + 2]} class="number">
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
