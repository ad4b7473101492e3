import type { ArgumentInfo, CommandInfo, NameKind, OptionInfo } from "./command-tree.ts";

/** Every command with the words that lead to it (`audit verify`), the program itself first. */
function everyCommand(
  command: CommandInfo,
  words: readonly string[] = [],
): readonly { readonly words: string; readonly command: CommandInfo }[] {
  return [{ words: words.join(" "), command }, ...command.commands.flatMap((child) => everyCommand(child, [...words, child.name]))];
}

/** Options of a command, and `--help`. */
function flagsOf({ options }: CommandInfo): readonly string[] {
  return options.flatMap(({ flags }) => flags);
}

/** What may follow a command besides options: verbs of its own, or what an argument may be. */
function wordsAfter({ commands, arguments: args }: CommandInfo): readonly string[] {
  return [...commands.map(({ name }) => name), ...args.flatMap(({ choices }) => choices)];
}

/** What the values of options may be, and after which verb and flag: `-o` means something else for each verb. */
function choicesByVerb(commands: ReturnType<typeof everyCommand>): ReadonlyMap<string, readonly string[]> {
  const found = commands.flatMap(({ words, command }) =>
    command.options
      .filter((option) => option.choices.length > 0)
      .flatMap(({ flags, choices }) => flags.map((flag) => ({ place: `"${words} ${flag}"`, choices: choices.join(" ") }))),
  );
  const byChoices = Map.groupBy(found, ({ choices }) => choices);
  return new Map([...byChoices].map(([choices, places]) => [choices, places.map(({ place }) => place)]));
}

/** Options whose values are names, by what they name. */
function namedOptions(commands: ReturnType<typeof everyCommand>): ReadonlyMap<NameKind, readonly string[]> {
  const found = commands.flatMap(({ words, command }) =>
    command.options.flatMap(({ flags, names }) =>
      names === undefined ? [] : flags.map((flag) => ({ names, place: `"${words} ${flag}"` })),
    ),
  );
  return new Map([...Map.groupBy(found, ({ names }) => names)].map(([names, places]) => [names, places.map(({ place }) => place)]));
}

/** What arguments of a command name. */
function namesOf({ arguments: args }: CommandInfo): readonly NameKind[] {
  return [...new Set(args.flatMap(({ names }) => names ?? []))];
}

/** A completion script for bash. Plain words, no `bash-completion` needed; files where nothing else fits. */
export function bashScript(program: CommandInfo): string {
  const commands = everyCommand(program);
  const choices = choicesByVerb(commands);
  const files = new Set(
    commands.flatMap(({ command }) => command.options.filter(({ isPath }) => isPath)).flatMap(({ flags }) => flags),
  );
  const group = commands.filter(({ words, command }) => words !== "" && command.commands.length > 0).map(({ words }) => words);
  const after = (command: CommandInfo): string => {
    const names = namesOf(command).map((kind) => `$(_firebreak_names ${kind})`);
    return [...wordsAfter(command), ...flagsOf(command), ...names].join(" ");
  };
  return `# bash completion of firebreak; source <(firebreak completion bash)
# Names come from definitions here, else from the running service; the program prints letters, digits and ._/- only.
_firebreak_names() {
  [[ $cur == -* ]] || "\${COMP_WORDS[0]}" names "$1" 2>/dev/null
}
_firebreak() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} verb="" word
  local -a words=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
  for word in "\${words[@]}"; do
    case "$word" in -*) continue ;; esac
    if [[ -z $verb ]]; then verb=$word
    else case "$verb" in ${group.join("|")}) verb="$verb $word" ;; esac
    fi
    case "$verb" in *" "*) break ;; esac
  done
  case "$verb $prev" in
${[...choices].map(([words, places]) => `    ${places.join("|")}) COMPREPLY=($(compgen -W "${words}" -- "$cur")); return ;;`).join("\n")}
${[...namedOptions(commands)].map(([names, places]) => `    ${places.join("|")}) COMPREPLY=($(compgen -W "$(_firebreak_names ${names})" -- "$cur")); return ;;`).join("\n")}
  esac
  case "$prev" in
    ${[...files].join("|")}) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  case "$verb" in
${commands.map(({ words, command }) => `    "${words}") COMPREPLY=($(compgen -W "${after(command)}" -- "$cur")) ;;`).join("\n")}
    *) COMPREPLY=() ;;
  esac
  [[ \${#COMPREPLY[@]} -gt 0 || $cur == -* ]] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _firebreak firebreak
`;
}

/** A completion script for fish. */
export function fishScript(program: CommandInfo): string {
  const lines = [
    "# fish completion of firebreak; firebreak completion fish > ~/.config/fish/completions/firebreak.fish",
    "complete -c firebreak -f",
  ];
  for (const verb of program.commands) {
    lines.push(`complete -c firebreak -n __fish_use_subcommand -a ${verb.name} -d ${quote(verb.description)}`);
    const names = verb.commands.map(({ name }) => name).join(" ");
    const inVerb = `__fish_seen_subcommand_from ${verb.name}`;
    for (const choice of wordsAfter(verb).filter((word) => !names.split(" ").includes(word)))
      lines.push(`complete -c firebreak -n '${inVerb}' -a ${choice}`);
    if (verb.commands.length === 0) lines.push(...verb.options.map((option) => fishOption(inVerb, option)));
    if (takesPath(verb)) lines.push(`complete -c firebreak -n '${inVerb}' -F`);
    lines.push(...namesOf(verb).map((kind) => `complete -c firebreak -n '${inVerb}' -a '${fishNames(kind)}'`));
    for (const child of verb.commands) {
      lines.push(
        `complete -c firebreak -n '${inVerb}; and not __fish_seen_subcommand_from ${names}' -a ${child.name} -d ${quote(child.description)}`,
      );
      const inChild = `${inVerb}; and __fish_seen_subcommand_from ${child.name}`;
      lines.push(...child.options.map((option) => fishOption(inChild, option)));
      if (takesPath(child)) lines.push(`complete -c firebreak -n '${inChild}' -F`);
      lines.push(...namesOf(child).map((kind) => `complete -c firebreak -n '${inChild}' -a '${fishNames(kind)}'`));
    }
  }
  return `${lines.join("\n")}\n`;
}

/** What fish runs to get names. */
function fishNames(kind: NameKind): string {
  return `(firebreak names ${kind} 2>/dev/null)`;
}

function takesPath(command: CommandInfo): boolean {
  return command.arguments.some(({ name }) => name === "dir" || name === "file");
}

function fishOption(condition: string, option: OptionInfo): string {
  const flags = option.flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(" ");
  const value =
    option.names !== undefined
      ? ` -x -a '${fishNames(option.names)}'`
      : option.choices.length > 0
        ? ` -x -a '${option.choices.join(" ")}'`
        : option.isPath
          ? " -r -F"
          : option.takesValue
            ? " -x"
            : "";
  return `complete -c firebreak -n '${condition}' ${flags}${value} -d ${quote(option.description)}`;
}

/** A completion script for zsh. */
export function zshScript(program: CommandInfo): string {
  const functions = everyCommand(program).map(({ words, command }) => zshFunction(words, command));
  return `#compdef firebreak
# zsh completion of firebreak; firebreak completion zsh > a folder of $fpath, as _firebreak
_firebreak_names() {
  compadd -- \${(f)"$(firebreak names $1 2>/dev/null)"}
}
${functions.join("\n")}
_firebreak "$@"
`;
}

function zshFunction(words: string, command: CommandInfo): string {
  const name = ["_firebreak", ...words.split(" ").filter((word) => word !== "")].join("_");
  const options = command.options.flatMap(zshOption).map((line) => `    ${line} \\`);
  if (command.commands.length === 0) {
    const args = command.arguments.map((argument) => `    ${quote(`:${argument.name}:${zshAction(argument)}`)} \\`);
    return `${name}() {\n  _arguments -s \\\n${[...options, ...args].join("\n")}\n    && return\n}`;
  }
  const verbs = command.commands.map((child) => `      ${quote(`${child.name}:${child.description.replaceAll(":", "\\:")}`)}`);
  const cases = command.commands.map((child) => `        ${child.name}) ${name}_${child.name} ;;`);
  return `${name}() {
  local line state
  local -a verbs=(
${verbs.join("\n")}
  )
  _arguments -s -C \\
${options.join("\n")}
    '1: :->verb' '*::arg:->args' && return
  case $state in
    verb) _describe verb verbs ;;
    args)
      case $line[1] in
${cases.join("\n")}
      esac ;;
  esac
}`;
}

function zshAction({ name, choices, names }: Pick<ArgumentInfo, "name" | "choices" | "names">): string {
  if (names !== undefined) return `{_firebreak_names ${names}}`;
  if (choices.length > 0) return `(${choices.join(" ")})`;
  return name === "dir" || name === "file" ? "_files" : "";
}

function zshOption(option: OptionInfo): readonly string[] {
  const text = option.description.replaceAll(/[[\]:]/g, (character) => `\\${character}`);
  const value = option.takesValue ? `:value:${zshAction({ ...option, name: option.isPath ? "file" : "" })}` : "";
  return option.flags.map((flag) => quote(`${flag}[${text}]${value}`));
}

/** Single-quoted for any of the shells. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
