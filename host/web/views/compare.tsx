// Two files compared.

import { useState } from 'preact/hooks';
import type { ViewProps } from '../app.js';
import { Card } from '../parts/card.js';
import type { Source } from '../protocol.js';
import { FileButton } from './start.js';

export function CompareView(_props: ViewProps) {
  const [_other, setOther] = useState<Source>();
  return (
    <Card title="Compare with another file" wide>
      <FileButton label="Choose the other file…" onFile={setOther} />
    </Card>
  );
}
