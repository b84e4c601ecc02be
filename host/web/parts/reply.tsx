// A reply as redis-cli would write it, with RESP3's types told apart.

import { useMemo, useState } from 'preact/hooks';
import { bytesLine, count, isText } from '../format.js';
import type { Reply } from '../worker/reply.js';

const EMPTY = { array: '(empty array)', set: '(empty set)', push: '(empty)', map: '(empty map)' };

function Scalar({ reply }: { reply: Exclude<Reply, { items: Reply[] }> }) {
  switch (reply.kind) {
    case 'null':
      return <span class="r-null">(nil)</span>;
    case 'simple':
      return <span class="r-simple">{reply.text}</span>;
    case 'error':
      return <span class="r-error">(error) {reply.text}</span>;
    case 'bulk':
    case 'verbatim': {
      const { bytes, length, kind } = reply;
      const more = length > bytes.length ? `… (${count(length)} bytes)` : '';
      const isPart = length > bytes.length;
      const isPlain = kind === 'verbatim' || (isText(bytes, isPart) && bytes.includes(10));
      if (isPlain) {
        // a character that is cut at the end is left out
        const text = new TextDecoder().decode(bytes, { stream: isPart });
        return <pre class="r-text">{text + more}</pre>;
      }
      return (
        <span class="r-bulk">
          "{bytesLine(bytes, bytes.length, isPart)}"{isPart && ` (${count(length)} bytes)`}
        </span>
      );
    }
    case 'number':
    case 'big':
      return <span class="r-number">(integer) {reply.text}</span>;
    case 'double':
      return <span class="r-number">(double) {reply.text}</span>;
    case 'bool':
      return <span class="r-number">({reply.text})</span>;
  }
}

type Container = Extract<Reply, { items: Reply[] }>;

/** Parts of a reply that are drawn at once; more would hold the page up. */
const ROOM = 300;

const sizes = new WeakMap<Reply, number>();

/** Parts of a reply. */
function sizeOf(reply: Reply): number {
  if (!('items' in reply)) return 1;
  const known = sizes.get(reply);
  if (known !== undefined) return known;
  const size = reply.items.reduce((sum, item) => sum + sizeOf(item), 1);
  sizes.set(reply, size);
  return size;
}

/** How many rows have room; one always has. */
function rowsFor(rows: readonly (readonly Reply[])[], room: number): number {
  let left = room;
  const last = rows.findIndex((row, i) => {
    left -= row.reduce((sum, item) => sum + sizeOf(item), 0);
    return i > 0 && left < 0;
  });
  return last < 0 ? rows.length : last;
}

const MARKS = { array: ')', push: ')', set: '~', map: '#' };

function List({ reply, room: atFirst }: { reply: Container; room: number }) {
  const { kind, items, count: all } = reply;
  const [room, setRoom] = useState(atFirst);
  const isMap = kind === 'map';
  const rows = useMemo(
    () =>
      isMap
        ? Array.from({ length: items.length / 2 }, (_, i) => items.slice(i * 2, i * 2 + 2))
        : items.map((item) => [item]),
    [items, isMap],
  ) as [Reply, Reply?][];
  const shown = rowsFor(rows as Reply[][], room);
  return (
    <div class={`r-list ${kind}`}>
      {kind === 'push' && <small>message</small>}
      {rows.slice(0, shown).map(([first, second], i) => (
        <div key={i} class="r-row">
          <span class="r-index">
            {i + 1}
            {MARKS[kind]}
          </span>
          <span class="r-item">
            <ReplyText reply={first} room={room} />
            {second !== undefined && (
              <>
                <span class="r-arrow"> ⇒ </span>
                <ReplyText reply={second} room={room} />
              </>
            )}
          </span>
        </div>
      ))}
      {shown < rows.length && (
        <button type="button" class="link" onClick={() => setRoom(room + ROOM)}>
          Show more of {count(all)}
        </button>
      )}
      {rows.length < all && shown === rows.length && (
        <span class="r-null">… {count(all - shown)} more</span>
      )}
    </div>
  );
}

export function ReplyText({ reply, room = ROOM }: { reply: Reply; room?: number }) {
  if (!('items' in reply)) return <Scalar reply={reply} />;
  if (reply.count === 0) return <span class="r-null">{EMPTY[reply.kind]}</span>;
  return <List reply={reply} room={room} />;
}
