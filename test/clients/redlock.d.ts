// The parts of redlock 4 that its test uses; the package has no types of its own.

declare module 'redlock' {
  import type { Redis } from 'ioredis';

  export interface Lock {
    value: string;
    expiration: number;
    attempts: number;
    extend(ttlMs: number): Promise<Lock>;
    unlock(): Promise<void>;
  }

  export interface Options {
    retryCount?: number;
    retryDelay?: number;
    retryJitter?: number;
  }

  export default class Redlock {
    constructor(clients: Redis[], options?: Options);
    lock(resource: string | string[], ttlMs: number): Promise<Lock>;
    on(event: 'clientError', listener: (error: Error) => void): this;
    static LockError: new (
      message?: string,
    ) => Error;
  }
}
