// A reply as redis-cli would write it, with RESP3's types told apart.

import { bytesLine, count, isText } from '../format.js';
import type { Reply } from '../worker/reply.js';

const decoder = new TextDecoder();
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
      const isPlain = kind === 'verbatim' || (isText(bytes) && bytes.includes(10));
      if (isPlain) return <pre class="r-text">{decoder.decode(bytes) + more}</pre>;
      return <span class="r-bulk">"{bytesLine(bytes, bytes.length) + more}"</span>;
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

export function ReplyText({ reply }: { reply: Reply }) {
  if (!('items' in reply)) return <Scalar reply={reply} />;
  const { kind, items, count: all } = reply;
  if (all === 0) return <span class="r-null">{EMPTY[kind]}</span>;
  const isMap = kind === 'map';
  const shown = isMap ? items.length / 2 : items.length;
  const rows = Array.from({ length: shown }, (_, i) =>
    isMap ? [items[i * 2], items[i * 2 + 1]] : [items[i]],
  ) as [Reply, Reply?][];
  const mark = kind === 'set' ? '~' : kind === 'map' ? '#' : ')';
  return (
    <div class={`r-list ${kind}`}>
      {kind === 'push' && <small>message</small>}
      {rows.map(([first, second], i) => (
        <div key={i} class="r-row">
          <span class="r-index">
            {i + 1}
            {mark}
          </span>
          <span class="r-item">
            <ReplyText reply={first} />
            {second !== undefined && (
              <>
                <span class="r-arrow"> ⇒ </span>
                <ReplyText reply={second} />
              </>
            )}
          </span>
        </div>
      ))}
      {shown < all && <span class="r-null">… {count(all - shown)} more</span>}
    </div>
  );
}
