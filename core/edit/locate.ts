import { isAlias, isCollection, isMap, isScalar, isSeq } from "yaml";
import type { Node, ParsedNode, YAMLMap, YAMLSeq } from "yaml";
import type { Edited } from "./edited.ts";
import { appendFlow, removeFlow, setFlow } from "./flow.ts";
import { appendBlock, removeBlock, setBlock } from "./block.ts";
import { readTrees } from "./values.ts";

/** Keys and list indices from the root of a document. */
export type YamlPath = readonly (string | number)[];

/** A place in a file, and what can be done there. */
export interface Place {
  readonly append: (item: string) => Edited;
  readonly remove: () => Edited;
  readonly replace: (value: string) => Edited;
  readonly set: (key: string, value: string) => Edited;
}

/** Finds a node by its path; an alias on the way is refused, because what it names is shared. */
export function locate(text: string, document: number, path: YamlPath): Place | { readonly refused: string } {
  const trees = readTrees(text);
  if ("refused" in trees) return trees;
  let node: Node | null | undefined = trees.ok[document]?.contents;
  let parent: YAMLMap | YAMLSeq | undefined;
  for (const part of path) {
    if (isAlias(node)) return { refused: `${path.join(".")} is reached through the alias *${node.source}` };
    if (!isCollection(node)) return { refused: `${path.join(".")} is not there` };
    parent = node; // a collection is one of the two
    node = node.get(part, true) as Node | undefined; // keepScalar: a node or nothing
  }
  if (node === undefined || node === null) return { refused: `${path.join(".")} is not there` };
  if (isAlias(node)) return { refused: `${path.join(".")} is the alias *${node.source}` };
  return placeOf(text, node as ParsedNode, parent, path.at(-1));
}

function placeOf(text: string, node: ParsedNode, parent: YAMLMap | YAMLSeq | undefined, last: string | number | undefined): Place {
  return {
    append(item) {
      if (!isSeq(node)) return { refused: "it is no list" };
      return node.flow === true ? appendFlow(text, node, item) : appendBlock(text, node, item);
    },
    remove() {
      if (isSeq(parent) && typeof last === "number")
        return parent.flow === true ? removeFlow(text, parent, last) : removeBlock(text, parent, last);
      return { refused: "only an item of a list can be removed" };
    },
    replace(value) {
      if (!isScalar(node) && (!isCollection(node) || node.flow !== true))
        return { refused: "it is written over several lines; only a single value can be replaced" };
      const [start, end] = node.range;
      if (node.anchor !== undefined) return { refused: `it carries the anchor &${node.anchor}` };
      if (isScalar(node) && (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED"))
        return { refused: "it is a block of text; only a single value can be replaced" };
      return { ok: text.slice(0, start) + value + text.slice(end) };
    },
    set(key, value) {
      if (!isMap(node)) return { refused: "it is no map" };
      return node.flow === true ? setFlow(text, node, `${key}: ${value}`) : setBlock(text, node, `${key}: ${value}`);
    },
  };
}
