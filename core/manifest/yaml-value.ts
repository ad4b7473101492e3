import { isAlias, isMap, isScalar, isSeq } from "yaml";
import type { Document, Node, Pair, Scalar as ScalarNode, YAMLMap } from "yaml";
import { NO_JSON, plainScalar } from "./yaml-scalar.ts";

/** Why a document is refused, and where (an offset). */
export class Refusal extends Error {
  readonly code: string;
  readonly offset: number;

  constructor(code: string, summary: string, offset: number) {
    super(summary);
    this.code = code;
    this.offset = offset;
  }
}

/** Nodes that aliases may stand for, all together. */
const MOST_ALIASED = 20_000;

/**
 * The value of a document as `kubectl` makes it. What parsers of Kubernetes and others read differently in silence is refused: a key
 * twice, tags that change a value, escapes that only JSON knows.
 *
 * @throws Refusal
 */
export function valueOf(document: Document.Parsed, text: string): unknown {
  return document.contents === null ? null : new Walker(document, text).value(document.contents);
}

class Walker {
  readonly #document: Document.Parsed;
  readonly #text: string;
  /** Anchors whose aliases are being followed. */
  readonly #following = new Set<Node>();
  #aliased = 0;

  constructor(document: Document.Parsed, text: string) {
    this.#document = document;
    this.#text = text;
  }

  value(node: Node | null): unknown {
    if (node === null) return null;
    if (this.#following.size > 0 && (this.#aliased += 1) > MOST_ALIASED) throw tooMany(node);
    if (isAlias(node)) return this.#alias(node);
    if (isMap(node)) return this.#mapping(node);
    if (isSeq(node)) {
      refuseTag(node, ["tag:yaml.org,2002:seq"]);
      return node.items.map((item) => this.value(item as Node)); // items of a parsed sequence are nodes
    }
    return isScalar(node) ? this.#scalar(node) : null;
  }

  #alias(node: Node): unknown {
    const target = isAlias(node) ? node.resolve(this.#document) : undefined;
    if (target === undefined) throw new Refusal("yaml-syntax", "not YAML: an alias without an anchor before it", offsetOf(node));
    if (this.#following.has(target)) throw tooMany(node);
    this.#following.add(target);
    const value = this.value(target);
    this.#following.delete(target);
    return value;
  }

  /** In the order of the text: what is merged (`<<`) takes the place of keys before it, and keys after it take its place. */
  #mapping(map: YAMLMap): Record<string, unknown> {
    refuseTag(map, ["tag:yaml.org,2002:map"]);
    const value = new Map<string, unknown>();
    const own = new Set<string>();
    for (const pair of map.items as Pair<Node | null, Node | null>[]) {
      if (isMerge(pair.key)) {
        for (const [key, item] of this.#merged(pair.value)) value.set(key, item);
        continue;
      }
      const key = this.#key(pair.key, map);
      if (own.has(key)) {
        const summary = `not YAML: the key ${JSON.stringify(key)} is there twice`;
        throw new Refusal("yaml-syntax", summary, pair.key === null ? offsetOf(map) : offsetOf(pair.key));
      }
      own.add(key);
      value.set(key, this.value(pair.value));
    }
    return Object.fromEntries(value);
  }

  /** Of several mappings the first that has a key counts. */
  #merged(node: Node | null): readonly (readonly [string, unknown])[] {
    const target = isAlias(node) ? node.resolve(this.#document) : node;
    const list = isSeq(target) ? target.items.toReversed() : [node];
    return list.flatMap((item) => {
      const value = this.value(item as Node | null);
      if (typeof value === "object" && value !== null && !Array.isArray(value)) return Object.entries(value);
      throw new Refusal("yaml-syntax", "not YAML: what is merged is no mapping", node === null ? 0 : offsetOf(node));
    });
  }

  #key(key: Node | null, map: YAMLMap): string {
    const value = key === null ? null : this.value(key);
    const at = key === null ? offsetOf(map) : offsetOf(key);
    if (isScalar(key) && this.#text.slice(at, key.range?.[1] ?? at).includes("\n"))
      throw new Refusal("yaml-syntax", "not YAML: a key of more than one line", at);
    if (value === null) throw new Refusal("yaml-syntax", "not YAML: a key that is null", at);
    if (typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    throw new Refusal("yaml-syntax", "not YAML: a key that is no text", at);
  }

  #scalar(node: ScalarNode): unknown {
    const text = typeof node.value === "string" ? node.value : (node.source ?? "");
    if (node.type === "QUOTE_DOUBLE") refuseEscapes(node, this.#text);
    refuseTag(node, ["tag:yaml.org,2002:str", "!"]);
    const isPlain = node.type === "PLAIN" || node.type === undefined;
    if (!isPlain || node.tag !== undefined) return text;
    const value = plainScalar(node.source ?? text);
    if (value === NO_JSON) throw new Refusal("yaml-syntax", `not YAML: ${text} is no number of JSON`, offsetOf(node));
    return value;
  }
}

function isMerge(key: Node | null): boolean {
  return isScalar(key) && key.type === "PLAIN" && key.source === "<<" && key.tag === undefined;
}

function tooMany(node: Node): Refusal {
  return new Refusal("alias-bomb", "aliases stand for too many values, or for themselves", offsetOf(node));
}

/** Tags that say what a value is anyway are fine. */
function refuseTag(node: Node, usual: readonly string[]): void {
  if (node.tag === undefined || usual.includes(node.tag)) return;
  throw new Refusal("yaml-syntax", `not YAML that every reader takes: the tag ${node.tag}`, offsetOf(node));
}

/** Kubernetes' parser has no `\/`, and takes no half of a surrogate pair. */
function refuseEscapes(node: Node, text: string): void {
  const [start, end] = [node.range?.[0] ?? 0, node.range?.[1] ?? 0];
  for (const { 0: found, index } of text.slice(start, end).matchAll(/\\(?:u[0-9a-fA-F]{4}|[\s\S])/g)) {
    if (found !== "\\/" && !/^\\u[dD][89a-fA-F]/.test(found)) continue;
    throw new Refusal("yaml-syntax", `not YAML: ${found} is an escape of JSON only`, start + index);
  }
}

function offsetOf(node: Node): number {
  return node.range?.[0] ?? 0;
}
