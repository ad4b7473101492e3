/** One line of at most so many characters, none cut in half. */
export function plainLine(text: string, limit: number): string {
  return cutText(text.replaceAll(/\s+/g, " ").trim(), limit);
}

/** At most so many characters; what is cut is marked. */
export function cutText(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
