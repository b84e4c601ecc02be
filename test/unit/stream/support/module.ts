// Compiles the test entry and wraps streams of the module in a class that speaks JavaScript.

import { compileWasm, FAULTS } from '../../../support/compile.js';
import type { Id, StreamBody } from './body.js';

// biome-ignore lint/suspicious/noExplicitAny: raw exports take and return numbers and bigints
type Raw = Record<string, any>;

const compiled = compileWasm('test/unit/stream/support/entry.ts', FAULTS);

/** One instance of the core with the stream functions. */
export class StreamModule {
  readonly memory = new WebAssembly.Memory({ initial: 65536, maximum: 65536 });
  readonly raw: Raw;
  readonly scratch: number;

  constructor() {
    const fail = (): never => {
      throw new Error('abort');
    };
    const env = new Proxy(
      { memory: this.memory, abort: fail },
      { get: (to, name) => Reflect.get(to, name) ?? (() => 0), has: () => true },
    );
    const imports = Object.fromEntries(
      WebAssembly.Module.imports(compiled).map(({ name }) => [name, Reflect.get(env, name)]),
    );
    this.raw = new WebAssembly.Instance(compiled, { env: imports }).exports as Raw;
    this.raw.init(16, 1n, 2n);
    this.scratch = this.raw.alloc(1 << 21) >>> 0;
  }

  get used(): number {
    return this.raw.usedMemory.value >>> 0;
  }

  /** The nth allocation from now on fails (0: the next); -1: none. */
  failAt(n: number): void {
    this.raw.allocFaultCountdown.value = n;
  }

  /** Copies bytes behind each other into scratch; their addresses. */
  put(...parts: Uint8Array[]): number[] {
    let at = this.scratch;
    return parts.map((part) => {
      new Uint8Array(this.memory.buffer, at, part.length).set(part);
      const ptr = at;
      at += part.length;
      return ptr;
    });
  }

  bytes(ptr: number, len: number): Buffer {
    return Buffer.from(new Uint8Array(this.memory.buffer, ptr >>> 0, len));
  }

  /** XADD with an id: the status. */
  append(s: number, id: Id, texts: Buffer[]): number {
    const table = Buffer.alloc(texts.length * 8);
    const base = this.scratch + table.length;
    let at = base;
    texts.forEach((text, i) => {
      table.writeUInt32LE(at >>> 0, i * 8);
      table.writeUInt32LE(text.length, i * 8 + 4);
      at += text.length;
    });
    const [ptr] = this.put(table, ...texts);
    return this.raw.streamAppend(s, ptr, texts.length / 2, ...id);
  }

  /** A call whose first arguments after `first` are bytes. */
  named(name: string, first: number, text: Buffer, ...rest: (bigint | number)[]): number {
    const [ptr] = this.put(text);
    return this.raw[name](first, ptr, text.length, ...rest);
  }

  /** The value of a stream as the RDB type for this version, type byte first. */
  save(s: number, version = 10): Buffer {
    this.raw.rdbSetVersionMax(version);
    this.raw.sinkBegin();
    this.raw.saveAll(6, 10, s);
    if (this.raw.sinkFailed.value) return Buffer.alloc(0);
    return this.bytes(this.raw.sinkPtr.value, this.raw.sinkLen.value);
  }

  /** Builds a stream from a parsed body; its address, or the status of the refusal. */
  load(body: StreamBody): number {
    const s = this.raw.streamNew();
    if (s === 0) return -1;
    const status = this.#fill(s, body);
    if (status === 0) return s >>> 0;
    this.raw.streamFree(s);
    return status;
  }

  #fill(s: number, body: StreamBody): number {
    const { raw } = this;
    for (const node of body.nodes) {
      const status = this.#node(s, node.id, node.listpack);
      if (status !== 0) return status;
    }
    raw.streamLoadMeta(s, body.length, ...body.last);
    if (body.type === 15) {
      raw.streamLoadLegacy(s);
    } else {
      raw.streamSetFirst(s, ...body.first);
      raw.streamSetMaxDeleted(s, ...body.maxDeleted);
      raw.streamSetEntriesAdded(s, body.added);
    }
    let status = raw.streamLoadNodesEnd(s);
    for (const group of body.groups) {
      if (status === 0) status = this.#group(s, body, group);
    }
    if (status === 0 && body.idmp) status = this.#idmp(s, body.idmp);
    return status;
  }

  #node(s: number, id: Id, listpack: Buffer): number {
    const [ptr] = this.put(listpack);
    return this.raw.streamLoadNode(s, ...id, ptr, listpack.length);
  }

  #group(s: number, body: StreamBody, group: StreamBody['groups'][0]): number {
    const { raw } = this;
    const g = this.named('streamGroupCreate', s, group.name, ...group.last);
    if (g === 0) return raw.groupStatus.value;
    if (body.type === 15) raw.groupLoadLegacy(s, g);
    else raw.groupSetEntriesRead(g, group.read);
    let status = 0;
    for (const p of group.pending) {
      if (status === 0) status = raw.groupLoadPending(g, ...p.id, p.time, p.count);
    }
    for (const consumer of group.consumers) {
      if (status !== 0) break;
      const c = this.named('groupConsumerCreate', g, consumer.name, consumer.seen);
      if (c === 0) return raw.groupStatus.value;
      raw.consumerSetActiveMs(c, consumer.active);
      for (const id of consumer.pending) {
        if (status === 0) status = raw.consumerLoadPending(g, c, ...id);
      }
    }
    for (const id of group.unowned) {
      if (status === 0) status = raw.groupLoadUnowned(g, ...id);
    }
    return status === 0 ? raw.groupLoadEnd(g, group.unowned.length) : status;
  }

  #idmp(s: number, idmp: NonNullable<StreamBody['idmp']>): number {
    let status = this.raw.idmpBegin(s, idmp.duration, idmp.max);
    for (const producer of idmp.producers) {
      if (status === 0) status = this.named('idmpProducer', s, producer.name);
      for (const iid of producer.iids) {
        if (status === 0) status = this.named('idmpIid', s, iid.name, ...iid.id);
      }
    }
    if (status === 0) this.raw.idmpEnd(s, idmp.added, idmp.duplicates);
    return status;
  }
}
