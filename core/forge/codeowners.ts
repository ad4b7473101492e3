/** One line of a CODEOWNERS file. */
export interface CodeownersRule {
  readonly line: number;
  readonly pattern: string;
  /** As written: `@user`, `@org/team` or an e-mail address; none: nobody owns what matches. */
  readonly owners: readonly string[];
}

/** Where GitHub looks, the first one wins: docs.github.com, "About code owners". */
export const GITHUB_CODEOWNERS: readonly string[] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"];
/** Where Gitea looks: its `services/issue/pull.go`. Its patterns are regular expressions, which we do not run; see {@link parseCodeowners}. */
export const GITEA_CODEOWNERS: readonly string[] = ["CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS"];

/** GitHub ignores a larger file. */
const MAX_SIZE = 3 * 1024 * 1024;

/**
 * Reads GitHub's syntax: gitignore patterns without `!`, `[ ]` and escaped `#`; such a line is skipped, as GitHub does.
 *
 * A Gitea file is read the same way: one that keeps to plain paths means the same in both.
 */
export function parseCodeowners(text: string): readonly CodeownersRule[] {
  if (text.length > MAX_SIZE) return [];
  return text.split(/\r\n|\n|\r/).flatMap((content, index) => {
    const [pattern, ...owners] = words(content);
    if (pattern === undefined || /^[!#]|[[\]]|\\#/.test(pattern)) return [];
    return [{ line: index + 1, pattern, owners: owners.filter((owner) => /^@?[^@\s]+(?:@[^@\s]+)?$/.test(owner)) }];
  });
}

/** Owners of the paths, each once, in the order found. For each path the last rule that matches wins, also one without owners. */
export function ownersOf(rules: readonly CodeownersRule[], paths: readonly string[]): readonly string[] {
  const matchers = rules.map(({ pattern, owners }) => ({ matches: matcherOf(pattern), owners })).toReversed();
  return [...new Set(paths.flatMap((path) => matchers.find(({ matches }) => matches(path))?.owners ?? []))];
}

/** Splits at blanks that no backslash precedes; `#` starts a comment. */
function words(line: string): readonly string[] {
  const bare = line.replace(/(^|\s)#.*$/, "");
  return (bare.match(/(?:\\.|[^\s\\])+/g) ?? []).map((word) => word.replaceAll("\\ ", " "));
}

/**
 * A pattern with a slash at its start or in its middle is anchored at the root; others match at any depth. `*` stays inside one name,
 * `**` crosses them. A pattern that names a folder owns all below it; `docs/*` owns files directly inside only.
 *
 * Patterns are a stranger's: matching takes time in proportion to pattern and path, so no regular expression is made of them.
 */
function matcherOf(pattern: string): (path: string) => boolean {
  const isAnchored = pattern.slice(0, -1).includes("/");
  const names = pattern.replace(/^\//, "").replace(/\/$/, "").split("/");
  const last = names.at(-1) ?? "";
  const isFilesOnly = isAnchored && !pattern.endsWith("/") && last.includes("*") && last !== "**";
  const needsMore = pattern.endsWith("/") || last === "**";
  const anyDepth = isAnchored || names[0] === "**" ? [] : ["**"];
  const head = [...anyDepth, ...(last === "**" ? names.slice(0, -1) : names)];
  return (path) => {
    const parts = path.split("/");
    const ends = endsOf(head, parts);
    if (isFilesOnly) return ends.has(parts.length);
    return [...ends].some((end) => !needsMore || end < parts.length);
  };
}

/** After how many names of the path the whole pattern can be used up. */
function endsOf(pattern: readonly string[], path: readonly string[]): ReadonlySet<number> {
  let ends = new Set([0]);
  for (const name of pattern) {
    const first = Math.min(...ends);
    if (name === "**") ends = new Set(Array.from({ length: Math.max(path.length - first + 1, 0) }, (_, index) => first + index));
    else ends = new Set([...ends].filter((end) => end < path.length && matchesName(name, path[end] ?? "")).map((end) => end + 1));
    if (ends.size === 0) break;
  }
  return ends;
}

/** `*` and `?` within one name; back to the last star only, which is enough. */
function matchesName(pattern: string, name: string): boolean {
  let [at, index, star, from] = [0, 0, -1, 0];
  while (index < name.length) {
    if (pattern[at] === "*") {
      star = at;
      at += 1;
      from = index;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === name[index])) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      from += 1;
      index = from;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
