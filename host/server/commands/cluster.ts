// Commands of Redis Cluster on a server that is not part of one.

import { COMMAND_NAMES } from '../../commands/generated/table.js';
import type { HostCall, HostHandler } from '../host-commands.js';

function cmdClusterDisabled(call: HostCall): void {
  call.out.error('ERR This instance has cluster support disabled');
}

const NAMES = COMMAND_NAMES.filter((name) => name.startsWith('cluster|'));

export const CLUSTER_FAMILY: Readonly<Record<string, HostHandler>> = Object.fromEntries(
  [...NAMES, 'asking', 'readonly', 'readwrite'].map((name) => [name, cmdClusterDisabled]),
);
