// ACL GENPASS, LOAD and SAVE: the subcommands that need randomness or files. The others are the
// core's (assembly/commands/acl.ts).

import { loadAclFile, saveAclFile } from '../acl.js';
import type { HostCall, HostHandler } from '../host-commands.js';
import { argText } from '../host-commands.js';

const BITS_DEFAULT = 256;
const BITS_MAX = 4096;
const LONG_MAX = 9223372036854775807n;

const NO_FILE =
  'ERR This Redis instance is not configured to use an ACL file. You may want to specify users ' +
  'via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis ' +
  'configuration file set) in order to store users in the Redis configuration.';

/** A 64-bit integer as Redis reads arguments: no sign but a minus, no leading zeros. */
function integer(text: string): bigint | undefined {
  if (!/^(0|-?[1-9]\d{0,18})$/.test(text)) return undefined;
  const value = BigInt(text);
  return value > LONG_MAX || value < -LONG_MAX - 1n ? undefined : value;
}

function cmdAclGenpass(call: HostCall): void {
  const { argv, out, server } = call;
  if (argv.length > 3) {
    const name = argText(call, 1).slice(0, 128);
    out.error(`ERR unknown subcommand or wrong number of arguments for '${name}'. Try ACL HELP.`);
    return;
  }
  const bits = argv.length === 3 ? integer(argText(call, 2)) : BigInt(BITS_DEFAULT);
  if (bits === undefined) {
    out.error('ERR value is not an integer or out of range');
    return;
  }
  if (bits <= 0n || bits > BITS_MAX) {
    out.error(
      'ERR ACL GENPASS argument must be the number of bits for the output password, ' +
        `a positive number up to ${BITS_MAX}`,
    );
    return;
  }
  const digits = Math.ceil(Number(bits) / 4);
  const bytes = server.platform.random.bytes(Math.ceil(digits / 2));
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  out.bulk(hex.slice(0, digits));
}

function cmdAclLoad({ out, server }: HostCall): void {
  const problem = server.config.str('aclfile') === '' ? NO_FILE : loadAclFile(server);
  if (problem === undefined) {
    server.log.notice(`ACLs were loaded from ${server.config.str('aclfile')}`);
    out.simple('OK');
  } else {
    out.error(problem === NO_FILE ? NO_FILE : `ERR ${problem}`);
  }
}

function cmdAclSave({ out, server }: HostCall): void {
  if (server.config.str('aclfile') === '') {
    out.error(NO_FILE);
  } else if (saveAclFile(server)) {
    out.simple('OK');
  } else {
    const where = 'Please check the server logs for more information';
    out.error(`ERR There was an error trying to save the ACLs. ${where}`);
  }
}

export const ACL_FAMILY: Readonly<Record<string, HostHandler>> = {
  'acl|genpass': cmdAclGenpass,
  'acl|load': cmdAclLoad,
  'acl|save': cmdAclSave,
};
