// A protocol stream of commands, cut into commands; anything else than whole commands is an error.

/** Arguments as Latin-1 text. */
export function commandsOf(stream: Buffer): string[][] {
  const commands: string[][] = [];
  let at = 0;
  const head = (mark: string): number => {
    const end = stream.indexOf('\r\n', at);
    const text = end < 0 ? '' : stream.toString('latin1', at, end);
    if (!/^.(0|[1-9]\d*)$/.test(text) || text[0] !== mark) {
      throw new Error(`no ${mark} at ${at}: ${JSON.stringify(text.slice(0, 40))}`);
    }
    at = end + 2;
    return Number(text.slice(1));
  };
  while (at < stream.length) {
    const count = head('*');
    if (count === 0) throw new Error(`an empty command at ${at}`);
    const command: string[] = [];
    for (let i = 0; i < count; i++) {
      const length = head('$');
      if (at + length + 2 > stream.length) throw new Error(`half a command at the end, ${at}`);
      command.push(stream.toString('latin1', at, at + length));
      at += length;
      if (stream.toString('latin1', at, at + 2) !== '\r\n') throw new Error(`no line end at ${at}`);
      at += 2;
    }
    commands.push(command);
  }
  return commands;
}
