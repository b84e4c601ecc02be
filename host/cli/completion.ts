// `respite completion <shell>`: a script that completes commands and options. It is made of the
// commands themselves, so it knows what they know.

import type { Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Level {
  /** Words in front, without the program's name. */
  path: string[];
  summary: string;
  commands: readonly Command[];
  options: readonly Option[];
}

/** A command and all below it. */
function levels(command: Command, path: string[] = []): Level[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).filter((one) => one.name() !== 'help');
  const own = { path, summary: command.description(), commands };
  return [
    { ...own, options: help.visibleOptions(command) },
    ...commands.flatMap((one) => levels(one, [...path, one.name()])),
  ];
}

const flags = ({ short, long }: Option): string[] =>
  [short, long].filter((flag) => flag !== undefined);

/** Commands of servers take files and directives, all others files. */
function bash(all: readonly Level[]): string {
  const cases = all.map(({ path, commands, options }) => {
    const words = [...commands.map((one) => one.name()), ...options.flatMap(flags)];
    return `    '${path.join(' ')}') words='${words.join(' ')}' ;;`;
  });
  const names = new Set(all.flatMap(({ path }) => path));
  return `# respite completion bash > /etc/bash_completion.d/respite
_respite() {
  local word path='' words='' current="\${COMP_WORDS[COMP_CWORD]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      ${[...names].join('|')}) path="\${path:+$path }$word" ;;
      -*) ;;
      *) break ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ $current == -* ]] || COMPREPLY+=($(compgen -f -- "$current"))
}
complete -o filenames -F _respite respite
`;
}

const quoted = (text: string): string => text.replace(/'/g, "'\\''");

function zsh(all: readonly Level[]): string {
  const plain = (text: string) => quoted(text).replace(/[[\]:]/g, '\\$&');
  const cases = all.map(({ path, commands, options }) => {
    const names = commands.map((one) => `'${one.name()}:${plain(one.description())}'`);
    const words = options.flatMap((one) =>
      flags(one).map((flag) => `'${flag}:${plain(one.description)}'`),
    );
    const sets = `commands=(${names.join(' ')}); options=(${words.join(' ')})`;
    return `    '${path.join(' ')}') ${sets} ;;`;
  });
  const names = new Set(all.flatMap(({ path }) => path));
  return `#compdef respite
# respite completion zsh > "\${fpath[1]}/_respite"
_respite() {
  local word at=''
  local -a commands options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in
      ${[...names].join('|')}) at="\${at:+$at }$word" ;;
      -*) ;;
      *) break ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  if [[ $words[CURRENT] == -* ]]; then
    _describe option options
  else
    (( $#commands )) && _describe command commands
    _files
  fi
}
compdef _respite respite
`;
}

function fish(all: readonly Level[]): string {
  const lines = ['# respite completion fish > ~/.config/fish/completions/respite.fish'];
  for (const { path, commands, options } of all) {
    const names = commands.map((one) => one.name());
    const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`);
    const none = names.length > 0 ? [`not __fish_seen_subcommand_from ${names.join(' ')}`] : [];
    const when = `-n '${[...seen, ...none].join('; and ') || 'true'}'`;
    for (const one of commands) {
      const about = `-d '${quoted(one.description())}'`;
      lines.push(`complete -c respite ${when} -a ${one.name()} ${about}`);
    }
    for (const { short, long, description, required } of options) {
      const flag = [short && `-s ${short.slice(1)}`, long && `-l ${long.slice(2)}`];
      const value = required ? ' -r' : '';
      const about = `-d '${quoted(description)}'`;
      lines.push(`complete -c respite ${when} ${flag.filter(Boolean).join(' ')}${value} ${about}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The script for a shell, of a program with all its commands. */
export function completion(program: Command, shell: Shell): string {
  const all = levels(program);
  return { bash, zsh, fish }[shell](all);
}
