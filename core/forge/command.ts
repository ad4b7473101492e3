/** What people ask for in a comment. */
export type ForgeCommand =
  | { readonly kind: "plan" }
  /** `plan` is what was looked at, in lower case: a plan's id, or the whole id of the head; "" when none was named, which approves nothing. */
  | { readonly kind: "approve"; readonly plan: string }
  /** `reason` is a stranger's text, one line; "" when none was given. */
  | { readonly kind: "hold"; readonly reason: string }
  | { readonly kind: "help" }
  /** A word after `/firebreak` that is no command, or words after one that takes none. */
  | { readonly kind: "unknown"; readonly words: string };

/**
 * The commands in a comment, in order: `/firebreak plan`, `approve PLAN`, `hold [reason]`, `help`, each at the very start of a line.
 *
 * What is quoted (`>`), indented, or inside a code fence or an HTML comment is talk about commands, not a command. Whether the author
 * may command, and that an edited comment does not count, is the caller's to check.
 */
export function parseCommands(body: string): readonly ForgeCommand[] {
  return spokenLines(body).flatMap((line) => {
    const words = /^\/firebreak(?:[ \t]+(.*))?$/.exec(line);
    return words === null ? [] : [parseCommand((words[1] ?? "").trim())];
  });
}

function parseCommand(words: string): ForgeCommand {
  const [verb = "", ...rest] = words.split(/[ \t]+/);
  if (verb === "hold") return { kind: "hold", reason: rest.join(" ") };
  if (verb === "approve" && rest.length <= 1) return { kind: "approve", plan: (rest[0] ?? "").toLowerCase() };
  if (rest.length > 0) return { kind: "unknown", words };
  switch (verb) {
    case "plan":
    case "help":
      return { kind: verb };
    case "":
      return { kind: "help" };
    default:
      return { kind: "unknown", words };
  }
}

/** Lines outside of fences and HTML comments. An open fence or comment lasts to the end: closed on doubt. */
function spokenLines(body: string): readonly string[] {
  const spoken: string[] = [];
  let fence: string | undefined;
  let isHidden = false;
  for (const line of body.split(/\r\n|\n|\r/)) {
    // A fence may stand in a list or a quote: whatever precedes it, it counts.
    const mark = /^[ \t>*+\-0-9.)]*(`{3,}|~{3,})/.exec(line)?.[1];
    if (isHidden) {
      isHidden = !line.includes("-->");
      continue;
    }
    if (fence !== undefined) {
      if (mark !== undefined && mark.startsWith(fence) && line.trimEnd().endsWith(mark)) fence = undefined;
      continue;
    }
    if (mark !== undefined) {
      fence = mark;
      continue;
    }
    spoken.push(line.trimEnd());
    const start = line.lastIndexOf("<!--");
    isHidden = start >= 0 && !line.includes("-->", start);
  }
  return spoken;
}
