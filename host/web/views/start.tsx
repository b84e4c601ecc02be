// The page without a file: a place to drop one, and what happens with it.

import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Source } from '../protocol.js';
import { blobSource } from '../state.js';

/** A button that asks for a file. */
export function FileButton({
  label,
  isMain = false,
  onFile,
}: {
  label: string;
  isMain?: boolean;
  onFile: (source: Source) => void;
}) {
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  return (
    <>
      <input
        ref={input}
        id={id}
        type="file"
        class="hidden"
        tabIndex={-1}
        aria-label={label}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file !== undefined) onFile(blobSource(file));
        }}
      />
      <button
        type="button"
        class={isMain ? 'button main' : 'button'}
        onClick={() => input.current?.click()}
      >
        {label}
      </button>
    </>
  );
}

/** Files dropped anywhere on the page are opened; true while one hovers. */
export function useDrop(onFile: (source: Source) => void): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const over = (event: DragEvent) => {
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      const file = event.dataTransfer?.files[0];
      // a place of its own (compare) takes the file before the page does
      const isTaken = (event.target as Element | null)?.closest('[data-drop]') !== null;
      if (file !== undefined && !isTaken) onFile(blobSource(file));
    };
    addEventListener('dragover', over);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, [onFile]);
  return isOver;
}

const PROMISES = [
  ['Nothing is uploaded', 'The file is read here. The page may not open any connection.'],
  ['Gigabytes are fine', 'It is read as a stream, in a worker, with constant memory.'],
  ['Every format', 'RDB 1 to 15 of Redis, Valkey 80, gzip or zstd around, heads of AOF files.'],
] as const;

export function StartView({
  problem,
  onFile,
}: {
  problem: string | undefined;
  onFile: (source: Source) => void;
}) {
  return (
    <main class="start">
      {problem !== undefined && (
        <p class="banner warning" role="alert">
          {problem}
        </p>
      )}
      <div class="drop">
        <svg viewBox="0 0 48 48" width="56" height="56" aria-hidden="true">
          <path d="M24 6v24m0 0-9-9m9 9 9-9" />
          <path d="M8 32v6a4 4 0 0 0 4 4h24a4 4 0 0 0 4-4v-6" />
        </svg>
        <h1>Drop a Redis or Valkey dump</h1>
        <p>See which keys it holds, what they cost, and what is odd about them.</p>
        <FileButton label="Choose a file…" isMain onFile={onFile} />
      </div>
      <ul class="promises">
        {PROMISES.map(([title, text]) => (
          <li key={title}>
            <b>{title}</b>
            {text}
          </li>
        ))}
      </ul>
    </main>
  );
}
