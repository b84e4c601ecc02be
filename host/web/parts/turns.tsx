// Work in small pieces, so that none holds up the page for long.

import { type ComponentChildren, Fragment } from 'preact';
import { useEffect, useState } from 'preact/hooks';

let turn: Promise<unknown> = Promise.resolve();

/** A task of its own, behind a frame, for each who waits: in the order in which they asked. */
export function nextTurn(): Promise<unknown> {
  turn = turn.then(
    () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))),
  );
  return turn;
}

/** Shows its children one after the other, each in a turn of its own. */
export function OneByOne({ children }: { children: ComponentChildren[] }) {
  const [shown, setShown] = useState(1);
  useEffect(() => {
    let isGone = false;
    if (shown < children.length) void nextTurn().then(() => isGone || setShown(shown + 1));
    return () => {
      isGone = true;
    };
  }, [shown, children.length]);
  return (
    <>
      {children.slice(0, shown).map((child, n) => (
        <Fragment key={n}>{child}</Fragment>
      ))}
    </>
  );
}
