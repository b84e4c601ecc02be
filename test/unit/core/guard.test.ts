// A core that met a bug is dead: its owner hears of it once, and nobody enters it again.

import { describe, expect, test, vi } from 'vitest';
import { Core } from '../../../host/core/core.js';
import { LocalClient } from '../../../host/core/local.js';
import { coreModule, seedBytes } from '../../sim/memory-host.js';

const clock = { nowMs: () => 1, defer: () => {} };

function makeCore(onTrap: (error: Error) => void): Core {
  const imports = {
    hostCommand: (): number => {
      throw new Error('boom');
    },
    applyProblem: () => {},
  };
  return new Core(coreModule(), imports, {
    seed: seedBytes(1),
    memoryBytesMax: 16 << 20,
    onTrap,
  });
}

describe('after a fault', () => {
  test('calls that do something throw, the others answer 0', () => {
    const onTrap = vi.fn();
    const core = makeCore(onTrap);
    const local = new LocalClient(core, clock);
    local.call('SET', 'k', 'v');
    // INFO is a host command: the import throws with Wasm on the stack.
    expect(() => local.call('INFO')).toThrow('boom');
    expect(onTrap).toHaveBeenCalledTimes(1);
    expect(core.trap?.message).toBe('boom');
    const dead = { code: 'ERR_RESPITE_CORE' };
    expect(() => local.call('GET', 'k')).toThrow(expect.objectContaining(dead));
    expect(() => local.get('k')).toThrow(expect.objectContaining(dead));
    expect(() => core.openClient(0, 'a', 'b')).toThrow(expect.objectContaining(dead));
    expect(() => core.x.loadBegin(0)).toThrow(expect.objectContaining(dead));
    expect(core.x.replicaKeyCount()).toBe(0);
    expect(core.x.takeReply(local.handle)).toBe(0);
    core.x.setReplica(true, true);
    local.close();
    expect(onTrap).toHaveBeenCalledTimes(1);
  });

  test('what timers call is quiet', () => {
    const core = makeCore(() => {});
    const local = new LocalClient(core, clock);
    expect(() => local.call('INFO')).toThrow('boom');
    core.x.cron(2);
    expect(core.x.lazyStep()).toBe(0);
    expect(core.x.serveDeadlines(1, 2)).toBe(Number.POSITIVE_INFINITY);
    // The client is to be closed.
    expect(core.x.resume(local.handle, 2)).toBe(4);
  });
});
