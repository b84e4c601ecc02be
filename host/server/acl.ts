// The ACL file and the `user` lines of the configuration: reading and writing. What they mean is
// the core's (assembly/commands/acl-file.ts); here are the files and the words about them.

import { type Config, invalidConfig } from '../config/index.js';
import type { Core } from '../core/core.js';
import type { Logger } from '../log.js';
import type { Platform } from '../platform/platform.js';

/** FILE_* of assembly/commands/acl-file.ts. */
const FILE_OK = 0;
const FILE_OFF = 1;
const FILE_WRONG = -1;

/** What this needs of the server. */
export interface AclHost {
  readonly core: Core;
  readonly config: Config;
  readonly platform: Platform;
  readonly log: Logger;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The system's words for the errors one meets with a file. */
const SYSTEM_TEXTS: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  EISDIR: 'Is a directory',
  ENOTDIR: 'Not a directory',
  ENOSPC: 'No space left on device',
  EROFS: 'Read-only file system',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  return SYSTEM_TEXTS[code ?? ''] ?? message ?? String(error);
}

function coreText(core: Core): Uint8Array {
  return core.copy(core.x.textAddress() >>> 0, core.x.textLength());
}

/** A relative name counts from `dir`, as Redis has changed to it when it opens the file. */
function filePath({ config, platform }: AclHost): string {
  return platform.fs.resolve(config.str('dir'), config.str('aclfile'));
}

/** Reads the ACL file and puts its users in force; what is wrong with it, if so, and no change. */
export function loadAclFile(host: AclHost): string | undefined {
  const { core, config, platform } = host;
  const name = config.str('aclfile');
  let text: Uint8Array;
  try {
    text = platform.fs.readFileSync(filePath(host));
  } catch (error) {
    return `Error loading ACLs, opening file '${name}': ${reasonOf(error)}`;
  }
  const result = core.withBytes(text, (ptr, len) =>
    core.withBytes(encoder.encode(name), (namePtr, nameLen) =>
      core.x.usersLoad(ptr, len, namePtr, nameLen),
    ),
  );
  if (result === FILE_OK) return undefined;
  return result === FILE_WRONG ? decoder.decode(coreText(core)) : 'out of memory';
}

let savings = 0;

/**
 * Writes all users to the ACL file: a new file takes the old one's place, so there is always a
 * whole one. False: it could not be done, the log says why. Blocks, so that of two the last wins.
 */
export function saveAclFile(host: AclHost): boolean {
  const { core, platform, log } = host;
  if (core.x.usersSave() === 0) {
    log.warning('ACL SAVE: out of memory');
    return false;
  }
  const text = coreText(core);
  const path = filePath(host);
  const temporary = `${path}.tmp-${platform.process.pid}-${platform.clock.nowMs()}-${savings++}`;
  let step = 'Opening temp ACL file';
  try {
    const file = platform.fs.openSync(temporary, 'wx', 0o644);
    try {
      step = 'Saving ACL file';
      file.writeSync(text);
      file.syncSync();
    } finally {
      file.closeSync();
    }
    step = 'Renaming ACL file';
    platform.fs.renameSync(temporary, path);
    return true;
  } catch (error) {
    log.warning(`${step} for ACL SAVE: ${reasonOf(error)}`);
    platform.fs.unlink(temporary).catch(() => undefined);
    return false;
  }
}

/** Words as the core takes them: each as u32 length and bytes. */
function packed(words: readonly string[]): Uint8Array {
  const all = words.map((word) => encoder.encode(word));
  const out = new Uint8Array(all.reduce((sum, word) => sum + 4 + word.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const word of all) {
    view.setUint32(at, word.length, true);
    out.set(word, at + 4);
    at += 4 + word.length;
  }
  return out;
}

/** The users of the configuration, before the first client. Throws ERR_RESPITE_INVALID_CONFIG. */
export function startAcl(host: AclHost): void {
  const { core, config, log } = host;
  for (const { name, rules, file, line } of config.users) {
    const bytes = packed([name, ...rules]);
    const result = core.withBytes(bytes, (ptr, len) => core.x.usersDeclare(ptr, len));
    if (result === FILE_OK) continue;
    if (result !== FILE_OFF) {
      const reason = result === FILE_WRONG ? decoder.decode(coreText(core)) : 'out of memory';
      throw invalidConfig({ reason, option: 'user', file, line, lineText: 'user [redacted]' });
    }
    log.notice(
      `The user '${name}' is disabled (there is no 'on' modifier in the user description). ` +
        'Make sure this is not a configuration error.',
    );
  }
  if (config.str('aclfile') === '') return;
  const problem = loadAclFile(host);
  if (problem === undefined) return;
  const reason = `Aborting startup because of ACL errors: ${problem}`;
  throw invalidConfig({ reason, option: 'aclfile' });
}
