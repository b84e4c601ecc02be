// A scripted master for the oddities of the protocol that a real one shows rarely. It answers each
// request by a rule; data correctness is never judged against it.

import net from 'node:net';

export type Rule = (words: string[], say: (text: string | Buffer) => void) => void;

export class FakeMaster {
  readonly port: number;
  /** Requests of all connections, in order; replies of ours left out. */
  readonly requests: string[][] = [];
  connections = 0;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(server: net.Server) {
    this.#server = server;
    this.port = (server.address() as net.AddressInfo).port;
  }

  static async start(rule: Rule): Promise<FakeMaster> {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const master = new FakeMaster(server);
    server.on('connection', (socket) => master.#serve(socket, rule));
    return master;
  }

  #serve(socket: net.Socket, rule: Rule): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (;;) {
        const request = parse(text);
        if (request === undefined) return;
        text = text.slice(request.length);
        this.requests.push(request.words);
        rule(request.words, (answer) => void socket.write(answer, 'latin1'));
      }
    });
  }

  say(bytes: string | Buffer): void {
    for (const socket of this.#sockets) socket.write(bytes, 'latin1');
  }

  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Requests with this first word. */
  seen(name: string): string[][] {
    return this.requests.filter((words) => words[0] === name);
  }

  close(): void {
    this.drop();
    this.#server.close();
  }
}

function parse(text: string): { words: string[]; length: number } | undefined {
  const head = /^\*(\d+)\r\n/.exec(text);
  if (head === null) return undefined;
  let at = head[0].length;
  const words: string[] = [];
  for (let i = 0; i < Number(head[1]); i++) {
    const bulk = /^\$(\d+)\r\n/.exec(text.slice(at));
    if (bulk === null) return undefined;
    at += bulk[0].length;
    const len = Number(bulk[1]);
    if (text.length < at + len + 2) return undefined;
    words.push(text.slice(at, at + len));
    at += len + 2;
  }
  return { words, length: at };
}

/** Says OK to the handshake and `answer` to PSYNC. */
export function friendly(
  answer: (words: string[], say: (text: string | Buffer) => void) => void,
): Rule {
  return (words, say) => {
    if (words[0] === 'PING') say('+PONG\r\n');
    else if (words[0] === 'AUTH') say('+OK\r\n');
    else if (words[0] === 'REPLCONF' && words[1] !== 'ACK') say('+OK\r\n');
    else if (words[0] === 'PSYNC') answer(words, say);
  };
}
