// A file being read: how far, how fast, how long still, and a way out.

import { bytes, duration } from '../format.js';
import type { Progress } from '../protocol.js';
import type { State } from '../state.js';

/** A bar with rate and time left; for every operation that reads a file. */
export function ProgressBar({
  progress: { bytes: done, size },
  sinceMs,
  label,
}: {
  progress: Progress;
  sinceMs: number;
  label: string;
}) {
  const seconds = Math.max(0.001, (performance.now() - sinceMs) / 1000);
  const rate = done / seconds;
  const left = size === undefined || rate === 0 ? undefined : (size - done) / rate;
  const share = size === undefined || size === 0 ? undefined : done / size;
  return (
    <div class="progress">
      <div
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={share === undefined ? undefined : Math.round(share * 100)}
        aria-valuetext={`${bytes(done)} read`}
        class={share === undefined ? 'meter unknown' : 'meter'}
      >
        <i style={{ width: share === undefined ? '30%' : `${share * 100}%` }} />
      </div>
      <p>
        <span>
          {bytes(done)}
          {size !== undefined && ` of ${bytes(size)}`}
        </span>
        <span>{done > 0 && `${bytes(rate)}/s`}</span>
        <span>{left !== undefined && done > 0 && `${duration(left)} left`}</span>
      </p>
    </div>
  );
}

export function ReadingView({
  state: { source, progress, sinceMs },
  onCancel,
}: {
  state: Extract<State, { phase: 'reading' }>;
  onCancel: () => void;
}) {
  return (
    <main class="start">
      <div class="drop reading">
        <h1>Reading {source.name}</h1>
        <ProgressBar progress={progress} sinceMs={sinceMs} label={`Reading ${source.name}`} />
        <button type="button" class="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </main>
  );
}
