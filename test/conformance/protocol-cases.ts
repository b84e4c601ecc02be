// Raw bytes as a client may send them, well formed or not. Each case goes over a connection of
// its own to both servers; all bytes that come back and whether it was closed must be the same.

export interface ProtocolCase {
  name: string;
  /** `####` stands for a number that differs per connection (keys of its own). */
  bytes: Buffer;
  /** Redis drops replies not yet written when it closes here: only the closing is compared. */
  losesReplies?: boolean;
  /** Sent before, each awaited (to set a password, a limit…) on a connection of its own. */
  setup?: string[][];
  undo?: string[][];
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const PING = '*1\r\n$4\r\nPING\r\n';

function one(name: string, text: string): ProtocolCase {
  return { name, bytes: latin1(text) };
}

const INLINE = [
  'PING\r\n',
  'PING\n',
  'ping\r\n',
  '  PING  \r\n',
  '\tPING\t\r\n',
  '\r\n',
  '\n',
  '\r\n\r\n\r\nPING\r\n',
  '   \r\nPING\r\n',
  '\x00\r\nPING\r\n',
  '\x00PING\r\n',
  'PING "hello world"\r\n',
  "PING 'hello world'\r\n",
  'PING "a\\x00\\xff\\r\\n\\t\\a\\b\\"\\\\"\r\n',
  'PING "\\q\\x4"\r\n',
  "PING 'it\\'s'\r\n",
  "PING 'a\\nb'\r\n",
  'PING ""\r\n',
  "PING ''\r\n",
  '"PING" x\r\n',
  '"" x\r\n',
  'PING a"b"\r\n',
  'PING a"b c"\r\n',
  'PING "a" "b"\r\n',
  'PING "unbalanced\r\nPING\r\n',
  "PING 'unbalanced\r\nPING\r\n",
  'PING "a"b\r\nPING\r\n',
  "PING 'a'b\r\nPING\r\n",
  'PING "\r\n',
  'PING "a\\\r\n',
  'SET k v\r\nGET k\r\nDEL k\r\n',
  'SET k v\nGET k\nDEL k\n',
  'GET\r\n',
  'NOSUCH a b c\r\n',
  'PING\rPING\r\n',
  'PING\r\r\n',
  'ECHO a\x00b\r\n',
  'ECHO \xff\xfe\r\n',
  '+PING\r\n',
  '-ERR\r\n',
  ':1\r\n',
  '$4\r\nPING\r\n',
  '%1\r\n',
  '~1\r\n',
  '>1\r\n',
  '#t\r\nPING\r\n',
  '_\r\nPING\r\n',
  `${PING}PING\r\n${PING}`,
  'QUIT\r\nPING\r\n',
  `PING\r\nQUIT\r\n${PING}`,
  'POST / HTTP/1.1\r\nHost: x\r\n\r\nPING\r\n',
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET k\r\nHost: example.org\r\nPING\r\n',
  'post x\r\nPING\r\n',
  'host: x\r\nPING\r\n',
  'Host:\r\nPING\r\n',
  'PING\r\nPOST\r\nPING\r\n',
].map((text) => ({
  ...one(`inline ${JSON.stringify(text)}`, text),
  losesReplies: /\n(host:|post\b)/i.test(text),
}));

const HEADERS = [
  '*0\r\n',
  '*-1\r\n',
  '*-2\r\n',
  '*-9223372036854775808\r\n',
  '*\r\n',
  '* 1\r\n',
  '*+1\r\n',
  '*01\r\n$4\r\nPING\r\n',
  '*1 \r\n',
  '*a\r\n',
  '*1a\r\n',
  '*1.0\r\n',
  '*1048576\r\n',
  '*1048577\r\n',
  '*2147483647\r\n',
  '*2147483648\r\n',
  '*4294967297\r\n',
  '*9223372036854775807\r\n',
  '*9223372036854775808\r\n',
  '*18446744073709551617\r\n',
  '*99999999999999999999999999\r\n',
  '**1\r\n',
  '*1\n$4\nPING\n',
  '*1\r$4\r\nPING\r\n',
  '*1\rX$4\r\nPING\r\n',
  '*-0\r\n',
  '*0\r\n*0\r\n',
].map((text) => one(`header ${JSON.stringify(text)}`, text + PING));

const BULKS = [
  '$-1\r\n',
  '$-2\r\n',
  '$\r\n',
  '$ 4\r\nPING\r\n',
  '$+4\r\nPING\r\n',
  '$04\r\nPING\r\n',
  '$a\r\n',
  '$4a\r\nPING\r\n',
  '$536870912\r\n',
  '$536870913\r\n',
  '$4294967300\r\n',
  '$2147483648\r\n',
  '$9223372036854775807\r\n',
  '$9223372036854775808\r\n',
  '$18446744073709551620\r\n',
  '$99999999999999999999999\r\n',
  '4\r\nPING\r\n',
  'PING\r\n',
  '\r\nPING\r\n',
  '\n$4\r\nPING\r\n',
  '*1\r\n$4\r\nPING\r\n',
  '+PING\r\n',
  ':4\r\nPING\r\n',
  '$4\nPING\n',
  '$4\r\nPINGxx',
  '$4\r\nPING\n\n',
  '$4\r\nPIN\r\n',
  '$3\r\nPING\r\n',
  '$0\r\n\r\n',
  '$5\r\nPING\r\n\r\n',
  '$-0\r\n\r\n',
].map((text) => one(`bulk ${JSON.stringify(text)}`, `*1\r\n${text}${PING}`));

const ARGUMENTS = [
  '*2\r\n$3\r\nGET\r\n$-1\r\n',
  '*2\r\n$3\r\nGET\r\n*1\r\n$1\r\nk\r\n',
  '*2\r\n$3\r\nGET\r\n:5\r\n',
  '*2\r\n$3\r\nGET\r\n$0\r\n\r\n',
  '*2\r\n$3\r\nGET\r\n$1048577\r\n',
  '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$-5\r\n',
  '*2\r\n$4\r\nPING\r\n$6\r\na\r\nb\r\n\r\n',
  '*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\n',
  '*2\r\n$4\r\nPING\r\n$1\r\nx',
  '*2\r\n$4\r\nPING\r\n',
  '*2\r\n$4\r\nPING',
  '*1\r\n$4',
  '*1\r',
  '*',
].map((text) => one(`arguments ${JSON.stringify(text)}`, `${PING}${text}`));

const LONG: ProtocolCase[] = [
  one('inline of 65535 bytes', `ECHO ${'x'.repeat(65530)}\r\n`),
  one('inline of 65536 bytes', `ECHO ${'x'.repeat(65531)}\r\n`),
  one('inline of 70000 bytes', `ECHO ${'x'.repeat(70000)}\r\n${PING}`),
  one('inline without end, 65535 bytes', 'x'.repeat(65535)),
  one('inline without end, 65536 bytes', 'x'.repeat(65536)),
  one('inline without end, 65537 bytes', 'x'.repeat(65537)),
  one('inline without end, 200000 bytes after a reply', PING + 'x'.repeat(200000)),
  one('multibulk header without end', `*${'1'.repeat(70000)}`),
  one('multibulk header of 65536 bytes', `*${'0'.repeat(65536)}1\r\n$4\r\nPING\r\n`),
  one('bulk header without end', `*1\r\n$${'1'.repeat(70000)}`),
  one('bulk header with 100 digits', `*1\r\n$${'0'.repeat(100)}4\r\nPING\r\n`),
  one('many empty lines', '\r\n'.repeat(5000) + PING),
  one('many *0', '*0\r\n'.repeat(5000) + PING),
  one('1000 pipelined PINGs', PING.repeat(1000)),
  one('1000 inline PINGs', 'PING\r\n'.repeat(1000)),
  one('a bulk of 100 kB', `*2\r\n$4\r\nECHO\r\n$100000\r\n${'y'.repeat(100000)}\r\n${PING}`),
  one('a bulk of 32 kB exactly', `*2\r\n$4\r\nECHO\r\n$32768\r\n${'y'.repeat(32768)}\r\n${PING}`),
  one('10000 arguments', `*10001\r\n$6\r\nEXISTS\r\n${'$1\r\na\r\n'.repeat(10000)}${PING}`),
  one('replies, then an error, then nothing', `${PING.repeat(5)}*1\r\n$x\r\n${PING.repeat(5)}`),
  one('replies, then a bad count, then nothing', `${PING.repeat(5)}*x\r\n${PING.repeat(5)}`),
  one('an error inside MULTI', `*1\r\n$5\r\nMULTI\r\n${PING}*1\r\nPING\r\n${PING}`),
];

const AUTH = {
  setup: [['CONFIG', 'SET', 'requirepass', 'pw']],
  undo: [['CONFIG', 'SET', 'requirepass', '']],
};
const GUARDED: ProtocolCase[] = [
  one('10 arguments', `*10\r\n${'$4\r\nPING\r\n'.repeat(10)}`),
  one('11 arguments', `*11\r\n${'$4\r\nPING\r\n'.repeat(11)}`),
  one('a count of a million', '*1000000\r\n'),
  one('a bulk of 16384', `*2\r\n$4\r\nAUTH\r\n$16384\r\n${'p'.repeat(16384)}\r\n`),
  one('a bulk of 16385', `*2\r\n$4\r\nAUTH\r\n$16385\r\n${'p'.repeat(16385)}\r\n`),
  one(
    'AUTH, then 11 arguments',
    `*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n*11\r\n${'$4\r\nPING\r\n'.repeat(11)}`,
  ),
  one(
    'AUTH, then a bulk of 20000',
    `AUTH pw\r\n*2\r\n$4\r\nECHO\r\n$20000\r\n${'p'.repeat(20000)}\r\n`,
  ),
  one('wrong AUTH, then 11 arguments', `AUTH no\r\n*11\r\n${'$4\r\nPING\r\n'.repeat(11)}`),
  one('inline PING', 'PING\r\n'),
  one('QUIT', 'QUIT\r\n'),
].map((one) => ({ ...one, ...AUTH, name: `unauthenticated: ${one.name}` }));

const SMALL_BULK = {
  setup: [['CONFIG', 'SET', 'proto-max-bulk-len', '1048576']],
  undo: [['CONFIG', 'SET', 'proto-max-bulk-len', '536870912']],
};
const LIMITED: ProtocolCase[] = [
  one('a bulk at the limit', `*2\r\n$4\r\nECHO\r\n$1048576\r\n${'z'.repeat(1048576)}\r\n${PING}`),
  one('a bulk above the limit', '*2\r\n$4\r\nECHO\r\n$1048577\r\n'),
].map((one) => ({ ...one, ...SMALL_BULK, name: `proto-max-bulk-len: ${one.name}` }));

export const PROTOCOL_CASES: ProtocolCase[] = [
  ...INLINE,
  ...HEADERS,
  ...BULKS,
  ...ARGUMENTS,
  ...LONG,
  ...GUARDED,
  ...LIMITED,
];

/** Pipelines that are sent again cut in two at every byte, and byte by byte. */
export const SPLIT_CASES: ProtocolCase[] = [
  one(
    'commands of all forms',
    [
      `${PING}*3\r\n$3\r\nSET\r\n$6\r\nsk####\r\n$12\r\nv\r\nwith crlf\r\n`,
      '*2\r\n$3\r\nget\r\n$6\r\nsk####\r\nPING inline\r\n\r\nECHO "a\\x00b"\n*0\r\n*-1\r\n',
      '*1\r\n$3\r\nGET\r\n*2\r\n$3\r\nDEL\r\n$6\r\nsk####\r\n*2\r\n$4\r\nECHO\r\n$0\r\n\r\n',
      `NOSUCH a\r\n${PING}`,
    ].join(''),
  ),
  one(
    'a transaction',
    'MULTI\r\n*2\r\n$4\r\nINCR\r\n$6\r\nsn####\r\nGET sn####\r\nDEL sn####\r\nEXEC\r\nPING\r\n',
  ),
  one('a bad bulk length', `${PING}*2\r\n$3\r\nGET\r\n$abc\r\n${PING}`),
  one('a bad count', `PING x\r\n*12x\r\n${PING}`),
  one('no dollar', `${PING}*2\r\n$3\r\nGET\r\nkey\r\n`),
  one('unbalanced quotes', `${PING}SET "k v\r\n${PING}`),
  one('an HTTP request', 'POST / HTTP/1.1\r\n'),
];
