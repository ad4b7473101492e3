import { compareNotes, type Note, type NoteSeverity } from "../model/note.ts";

const LEVEL = { error: "error", warning: "warning", info: "notice" } as const satisfies Record<NoteSeverity, string>;

/**
 * Notes as workflow commands of GitHub Actions, one a line and each once: they appear beside the lines of a pull request.
 *
 * @example ::error file=policies/a.yaml,line=3,col=5,title=unknown-key::unknown key "podz". Did you mean "pods"?
 */
export function formatAnnotations(notes: readonly Note[]): string {
  return [...new Set([...notes].sort(compareNotes).map(formatAnnotation))].join("\n");
}

function formatAnnotation({ severity, code, at, summary, detail }: Note): string {
  const place = at === undefined ? [] : [`file=${property(at.file)}`, `line=${at.line}`, `col=${at.column}`];
  const properties = [...place, `title=${property(code)}`].join(",");
  return `::${LEVEL[severity]} ${properties}::${data(detail === undefined ? summary : `${summary}. ${detail}`)}`;
}

/** Escapes of the runner (actions/toolkit, packages/core/src/command.ts): nothing in a definition can begin a command of its own. */
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
