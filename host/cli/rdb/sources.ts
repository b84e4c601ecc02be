// Opens what a command reads: a file, standard input (`-`) or a live server (`redis://…`).

import { type Follower, openRdbDescriptor, openRdbFile } from '../../persistence/rdb-source.js';
import type { TlsOptions } from '../../platform/platform.js';
import type { RdbPullSource } from '../../rdb/source.js';
import type { RdbIo } from './io.js';

export interface OpenSource {
  /** As the user named it, secrets removed. */
  readonly name: string;
  readonly rdb: RdbPullSource;
  /** All bytes of what `position` counts, where that is known. */
  readonly size: number | undefined;
  /** Bytes of the source that were read (of a compressed one: compressed bytes). */
  position(): number;
  /** Files that belong behind it and are not read. */
  readonly followers: readonly Follower[];
}

const SERVER = /^(redis|rediss|unix):\/\//i;
export const isServer = (name: string): boolean => SERVER.test(name);

/** The number that the path of a server's URL is. */
export function databaseOf(name: string): number | undefined {
  const match = /^rediss?:\/\/[^/]*\/(\d+)$/i.exec(name);
  return match === null ? undefined : Number(match[1]);
}

function tlsOf(options: Record<string, unknown>): TlsOptions {
  const { tlsCaCertFile, tlsCertFile, tlsKeyFile, tlsServername, tlsInsecure } = options;
  return {
    ...(tlsCaCertFile === undefined ? {} : { caCertFile: tlsCaCertFile as string }),
    ...(tlsCertFile === undefined ? {} : { certFile: tlsCertFile as string }),
    ...(tlsKeyFile === undefined ? {} : { keyFile: tlsKeyFile as string }),
    ...(tlsServername === undefined ? {} : { servername: tlsServername as string }),
    ...(tlsInsecure === true ? { rejectUnauthorized: false } : {}),
  };
}

/**
 * Opens a source by its name; rejects with ERR_RESPITE_IO, _CONNECTION, _AUTH … Options: --tls-*.
 * A password that is not in the URL is taken from RESPITE_MASTERAUTH.
 */
export async function openSource(
  { platform, stdin }: RdbIo,
  name: string,
  options: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<OpenSource> {
  if (SERVER.test(name)) {
    const { RESPITE_MASTERUSER: username, RESPITE_MASTERAUTH: password } = platform.process.env;
    const isTls = /^rediss:/i.test(name);
    // files need none of it
    const { openSnapshot } = await import('../../replication/snapshot.js');
    const link = {
      master: name,
      // what the URL says wins
      ...(/^[a-z]+:\/\/[^/]*@/i.test(name) ? {} : { username, password }),
      ...(isTls ? { tls: tlsOf(options) } : {}),
    };
    const snapshot = await openSnapshot(platform, link, signal);
    return {
      name: snapshot.address,
      rdb: snapshot,
      size: snapshot.size,
      position: () => snapshot.position(),
      followers: [],
    };
  }
  const source = await (name === '-'
    ? openRdbDescriptor(stdin, signal)
    : openRdbFile(name, signal));
  return {
    name,
    rdb: source,
    size: source.sourceSize,
    position: () => source.position(),
    followers: source.followers,
  };
}
