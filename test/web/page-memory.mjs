// What a page and its workers hold, asked of Chromium: their JavaScript heaps, and the memories of
// WebAssembly, which are no part of those.

const MB = 2 ** 20;

/** Speaks with each worker of a page through the page's own CDP session. */
export class MemoryMeter {
  #session;
  #workers = new Map();
  #calls = new Map();
  #nextId = 1;

  static async of(page) {
    const meter = new MemoryMeter();
    const session = await page.context().newCDPSession(page);
    meter.#session = session;
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') meter.#workers.set(sessionId, targetInfo.targetId);
    });
    session.on('Target.detachedFromTarget', ({ sessionId }) => meter.#gone(sessionId));
    session.on('Target.receivedMessageFromTarget', ({ message }) => {
      const { id, result } = JSON.parse(message);
      meter.#calls.get(id)?.done(result);
      meter.#calls.delete(id);
    });
    const how = { autoAttach: true, waitForDebuggerOnStart: false, flatten: false };
    await session.send('Target.setAutoAttach', how);
    return meter;
  }

  #gone(sessionId) {
    this.#workers.delete(sessionId);
    for (const [id, call] of this.#calls) {
      if (call.sessionId !== sessionId) continue;
      call.done(undefined);
      this.#calls.delete(id);
    }
  }

  #ask(sessionId, method, params = {}) {
    if (sessionId === undefined) return this.#session.send(method, params);
    const id = this.#nextId++;
    const said = new Promise((done) => this.#calls.set(id, { sessionId, done }));
    const message = JSON.stringify({ id, method, params });
    this.#session.send('Target.sendMessageToTarget', { sessionId, message }).catch(() => undefined);
    return said;
  }

  async #heap(sessionId) {
    const heap = await this.#ask(sessionId, 'Runtime.getHeapUsage');
    return { used: heap?.usedSize ?? 0, buffers: heap?.backingStorageSize ?? 0 };
  }

  async #wasm(sessionId) {
    const expression = 'WebAssembly.Memory.prototype';
    const { result } = (await this.#ask(sessionId, 'Runtime.evaluate', { expression })) ?? {};
    if (result === undefined) return 0;
    const prototype = { prototypeObjectId: result.objectId };
    const { objects } = (await this.#ask(sessionId, 'Runtime.queryObjects', prototype)) ?? {};
    if (objects === undefined) return 0;
    const said = await this.#ask(sessionId, 'Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: `function () {
        return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
      }`,
      returnByValue: true,
    });
    await this.#ask(sessionId, 'Runtime.releaseObject', { objectId: objects.objectId });
    return said?.result?.value ?? 0;
  }

  /** MB: the page's heap, the workers' heaps, their buffers outside of the heap, WebAssembly's. */
  async now({ wasm = true } = {}) {
    const page = await this.#heap();
    const all = { page: page.used, workers: 0, buffers: page.buffers, wasm: 0 };
    for (const sessionId of [...this.#workers.keys()]) {
      const heap = await this.#heap(sessionId);
      all.workers += heap.used;
      all.buffers += heap.buffers;
      // asking collects garbage first: not while something is measured
      if (wasm) all.wasm += await this.#wasm(sessionId);
    }
    return Object.fromEntries(Object.entries(all).map(([name, n]) => [name, Math.round(n / MB)]));
  }
}
