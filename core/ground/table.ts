/** Columns with two spaces between them, headers in capitals, as kubectl prints. */
export function formatTable(headers: readonly string[], rows: readonly (readonly string[])[]): string {
  // Not Math.max(...): a listing may have more rows than a call may have arguments.
  const widths = headers.map((header, column) =>
    rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), header.length),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(headers.map((header) => header.toUpperCase())), ...rows.map(line)].join("\n");
}

/** `4s`, `3m`, `2h`, `5d`: the age of a moment; `-` when there is none. `now` in ms since the epoch. */
export function formatAge(iso: string | null, now: number): string {
  if (iso === null) return "-";
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
