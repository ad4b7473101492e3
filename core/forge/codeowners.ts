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
  return [...new Set(paths.flatMap((path) => matchers.find(({ matches }) => matches.test(path))?.owners ?? []))];
}

/** Splits at blanks that no backslash precedes; `#` starts a comment. */
function words(line: string): readonly string[] {
  const bare = line.replace(/(^|\s)#.*$/, "");
  return (bare.match(/(?:\\.|[^\s\\])+/g) ?? []).map((word) => word.replaceAll("\\ ", " "));
}

/**
 * A pattern with a slash at its start or in its middle is anchored at the root; others match at any depth. `*` stays inside one name,
 * `**` crosses them. A pattern that names a folder owns all below it; `docs/*` owns files directly inside only.
 */
function matcherOf(pattern: string): RegExp {
  const isAnchored = pattern.slice(0, -1).includes("/");
  const bare = pattern.replace(/^\//, "").replace(/\/$/, "");
  const source = bare
    .split("/")
    .map((name) => (name === "**" ? undefined : nameSource(name)))
    .reduce<string>((sum, name, index, all) => sum + segment(name, index, all.length), "");
  // `docs/*` is for files in docs alone; a name without a wildcard at the end may be a folder.
  const below = pattern.endsWith("/")
    ? "/.+"
    : /(^|\/)[^/]*\*[^/]*$/.test(bare) && isAnchored && !bare.endsWith("**")
      ? ""
      : "(?:/.+)?";
  return new RegExp(`^${isAnchored ? "" : "(?:.+/)?"}${source}${below}$`);
}

function segment(name: string | undefined, index: number, count: number): string {
  const isLast = index === count - 1;
  if (name !== undefined) return isLast ? name : `${name}/`;
  return isLast ? ".+" : "(?:.+/)?";
}

/** Runs of stars are one star: `a*****b` must not take exponential time. */
function nameSource(name: string): string {
  return name
    .replaceAll(/\*+/g, "*")
    .replaceAll(/[.+^${}()|\\]/g, String.raw`\$&`)
    .replaceAll("*", "[^/]*")
    .replaceAll("?", "[^/]");
}
