import { formatTable } from "../ground/table.ts";
import { visible } from "../ground/visible.ts";
import type { ReachConnection } from "./matrix-types.ts";
import type { Reach, ReachClass } from "./matrix.ts";

/** How a listing is printed. */
export type ReachFormat = "table" | "json" | "csv" | "dot";

/** One pair of workloads, or of a workload and a range of addresses. */
export interface ReachPair {
  readonly src: string;
  readonly dst: string;
  readonly conn: string;
}

/** The pairs behind the matrix, by source and destination; a workload with itself is none. */
export function* expandPairs({ classes, connections }: Reach): Generator<ReachPair> {
  const members = new Map(classes.map(({ id, members: list }) => [id, list]));
  const bySource = Map.groupBy(connections, ({ src }) => src);
  const sources = [...bySource.keys()].flatMap((id) => (members.get(id) ?? []).map((name) => ({ id, name })));
  for (const { id, name } of sources.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))) {
    const pairs = (bySource.get(id) ?? []).flatMap(({ dst, conn }) =>
      (members.get(dst) ?? []).map((to) => ({ src: name, dst: to, conn })),
    );
    for (const pair of pairs.sort((a, b) => (a.dst < b.dst ? -1 : 1))) if (pair.dst !== name) yield pair;
  }
}

/** The matrix in pieces of text, which together end with a line end. */
export function* renderMatrix(reach: Reach, format: ReachFormat): Generator<string> {
  const { classes, connections } = reach;
  const members = new Map(classes.map(({ id, members: list }) => [id, list]));
  switch (format) {
    case "json":
      yield* renderJson(classes, connections);
      return;
    case "csv":
      yield "src,dst,conn\n";
      for (const { src, dst, conn } of connections) yield csvLine([joined(members.get(src)), joined(members.get(dst)), conn]);
      return;
    case "dot":
      yield* renderDot(
        classes.map(({ id, kind, members: list }) => ({ id, kind, label: list.map(visible).join("\n") })),
        connections,
      );
      return;
    default:
      yield `${formatTable(
        ["class", "members"],
        classes.map(({ id, members: list }) => [id, visible(list.join(" "))]),
      )}\n\n`;
      yield* renderConnections(connections);
  }
}

/** As `formatTable` would, line by line: a big cluster has millions. */
function* renderConnections(connections: Iterable<ReachConnection>): Generator<string> {
  let [srcWidth, dstWidth] = ["src".length, "dst".length];
  for (const { src, dst } of connections) {
    srcWidth = Math.max(srcWidth, src.length);
    dstWidth = Math.max(dstWidth, dst.length);
  }
  const [source, destination] = [padTo(srcWidth + 2), padTo(dstWidth + 2)];
  yield `${source("SRC")}${destination("DST")}CONNECTION\n`;
  for (const { src, dst, conn } of connections) yield `${source(src)}${destination(dst)}${conn}\n`;
}

/** Makes texts of one width; few names stand in millions of lines. */
function padTo(width: number): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const padded = text.padEnd(width);
    known.set(text, padded);
    return padded;
  };
}

function joined(members: readonly string[] | undefined): string {
  return (members ?? []).join(" ");
}

/** Every pair, as `renderMatrix` prints classes. */
export function* renderPairs(reach: Reach, format: ReachFormat): Generator<string> {
  switch (format) {
    case "json":
      yield* renderJsonList(expandPairs(reach));
      yield "\n";
      return;
    case "csv":
      yield "src,dst,conn\n";
      for (const { src, dst, conn } of expandPairs(reach)) yield csvLine([src, dst, conn]);
      return;
    case "dot":
      yield* renderDot(
        reach.classes.flatMap(({ kind, members }) => members.map((name) => ({ id: name, kind, label: visible(name) }))),
        expandPairs(reach),
      );
      return;
    default:
      yield `${formatTable(
        ["src", "dst", "connection"],
        [...expandPairs(reach)].map(({ src, dst, conn }) => [visible(src), visible(dst), conn]),
      )}\n`;
  }
}

function* renderJson(classes: readonly ReachClass[], connections: Iterable<ReachConnection>): Generator<string> {
  yield `{"classes":${JSON.stringify(Object.fromEntries(classes.map(({ id, members }) => [id, members])))},\n"connections":`;
  yield* renderJsonList(connections);
  yield "}\n";
}

/** One item a line, so that a big listing can be read and compared. */
function* renderJsonList(items: Iterable<ReachPair>): Generator<string> {
  const known = new Map<string, string>(); // few names and texts, millions of items
  const quote = (text: string): string => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const json = JSON.stringify(text);
    known.set(text, json);
    return json;
  };
  let separator = "[\n";
  for (const { src, dst, conn } of items) {
    yield `${separator}{"src":${quote(src)},"dst":${quote(dst)},"conn":${quote(conn)}}`;
    separator = ",\n";
  }
  yield separator === "[\n" ? "[]" : "\n]";
}

/** RFC 4180; what a spreadsheet would take for a formula begins with an apostrophe. */
function csvLine(cells: readonly string[]): string {
  const written = cells.map((cell) => {
    const text = `${/^[=+@-]/.test(cell) ? "'" : ""}${visible(cell)}`;
    return /[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${written.join(",")}\n`;
}

const SHAPES = { workloads: "box", addresses: "ellipse", "ingress-controller": "diamond" } as const;

function* renderDot(
  nodes: readonly { readonly id: string; readonly kind: ReachClass["kind"]; readonly label: string }[],
  edges: Iterable<ReachPair>,
): Generator<string> {
  yield "digraph reach {\n";
  for (const { id, kind, label } of nodes) yield `  ${quoted(visible(id))} [shape=${SHAPES[kind]}, label=${quoted(label)}]\n`;
  for (const { src, dst, conn } of edges) yield `  ${quoted(visible(src))} -> ${quoted(visible(dst))} [label=${quoted(conn)}]\n`;
  yield "}\n";
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
