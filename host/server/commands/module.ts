// MODULE: there are none, and none can be loaded.

import type { HostCall, HostHandler } from '../host-commands.js';
import { writeHelp } from '../host-commands.js';

const HELP = [
  'MODULE <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  'LIST',
  '    Return a list of loaded modules.',
  'LOAD <path> [<arg> ...]',
  '    Load a module library from <path>, passing to it any optional arguments.',
  'LOADEX <path> [[CONFIG NAME VALUE] [CONFIG NAME VALUE]] [ARGS ...]',
  '    Load a module library from <path>, while passing it module configurations and optional ' +
    'arguments.',
  'UNLOAD <name>',
  '    Unload a module.',
  'HELP',
  '    Prints this help.',
];

const NOT_ALLOWED =
  'ERR MODULE command not allowed. If the enable-module-command option is set to "local", you ' +
  'can run it from a local connection, otherwise you need to set this option in the ' +
  'configuration file, and then restart the server.';

/** Redis: LIST and HELP are for everybody, the others only where the configuration allows. */
function guarded(error: string): HostHandler {
  return (call: HostCall) => {
    const mode = call.server.config.str('enable-module-command');
    const isAllowed = mode === 'yes' || (mode === 'local' && call.isLocal);
    call.out.error(isAllowed ? error : NOT_ALLOWED);
  };
}

const NOT_LOADED =
  'ERR Error loading the extension. Please check the server logs. Modules are native code and ' +
  'cannot be loaded here';

export const MODULE_FAMILY: Readonly<Record<string, HostHandler>> = {
  'module|list': (call) => call.out.array(0),
  'module|load': guarded(NOT_LOADED),
  'module|loadex': guarded(NOT_LOADED),
  'module|unload': guarded('ERR Error unloading module: no such module with that name'),
  'module|help': (call) => writeHelp(call, HELP),
};
