import {
  formatPrefix,
  fromPrefixes,
  isSubset,
  networkOf,
  subtract,
  toPrefixes,
  type Address,
  type AddressSet,
  type Prefix,
} from "../address/index.ts";
import { unusedName } from "../ground/unused-name.ts";
import type { Document } from "./document.ts";
import type { DraftEnd } from "./draft.ts";
import { groupKey, type Group } from "./group.ts";
import { groupName, labelName } from "./names.ts";

/** Names of what is written: each once, and the same whenever the same is imported. */
export class Names {
  readonly #taken: Set<string>;
  readonly #policies: Set<string>;
  readonly #ends = new Map<string, string>();
  readonly groups: { readonly name: string; readonly group: Group; readonly not: readonly Group[] }[] = [];
  readonly blocks: { readonly name: string; readonly block: Block }[] = [];

  /** @param taken names that are given already, of whatever kind */
  constructor(taken: Iterable<string>) {
    const names = [...taken];
    this.#taken = new Set(["any", "internet", "workloads", ...names]);
    this.#policies = new Set(names);
  }

  /** The name of something else that is written: this one, or one like it that nobody has. */
  of(name: string): string {
    return this.#take(name);
  }

  ofGroup(group: Group, not: readonly Group[] = []): string {
    const key = [group, ...not].map(groupKey).join("\n");
    return this.#once(key, () => {
      const base = not.length === 0 ? groupName(group) : `${groupName(group)}-others`;
      const name = this.#take(base);
      this.groups.push({ name, group, not });
      return name;
    });
  }

  ofEnd(end: DraftEnd): string {
    switch (end.kind) {
      case "any":
        return "any";
      case "everything":
        return this.#ofBlock({ addresses: ["0.0.0.0/0", "::/0"] }, "every-address");
      case "pods":
        return this.ofGroup(end.group, end.not);
      case "addresses": {
        const block = blockOf(end.set);
        const [first = ""] = block.addresses;
        return this.#ofBlock(block, block.addresses.length === 1 ? `net-${first}` : `nets-${first}-and-more`);
      }
      default:
        return end satisfies never;
    }
  }

  ofPolicy(text: string): string {
    const name = unusedName(labelName(text) || "policy", this.#policies);
    this.#policies.add(name);
    return name;
  }

  #ofBlock(block: Block, base: string): string {
    return this.#once(JSON.stringify(block), () => {
      const name = this.#take(base);
      this.blocks.push({ name, block });
      return name;
    });
  }

  #once(key: string, make: () => string): string {
    const name = this.#ends.get(key) ?? make();
    this.#ends.set(key, name);
    return name;
  }

  #take(base: string): string {
    const name = unusedName(labelName(base) || "pods", this.#taken);
    this.#taken.add(name);
    return name;
  }
}

/** Addresses as an External says them. */
export interface Block {
  readonly addresses: readonly string[];
  readonly except?: readonly string[];
}

/** The shorter of two ways to say it: block by block, or the network around all of them without what is missing. */
function blockOf(set: AddressSet): Block {
  const plain = toPrefixes(set);
  const families = ([4, 6] as const).flatMap((family) => {
    const own = plain.filter((prefix) => prefix.family === family);
    const around = networkAround(own);
    return around === undefined ? [] : [around];
  });
  const holes = toPrefixes(subtract(fromPrefixes(families), set));
  const isShorter = families.length + holes.length < plain.length;
  return isShorter
    ? { addresses: families.map(formatPrefix), except: holes.map(formatPrefix) }
    : { addresses: plain.map(formatPrefix) };
}

/** The smallest network that holds all of them; they are sorted. */
function networkAround(prefixes: readonly Prefix[]): Prefix | undefined {
  const [first, last] = [prefixes[0], prefixes.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  for (let length = first.length; length > 0; length -= 1) {
    const network = networkOf({ family: first.family, value: first.first } as Address, length); // both stem from one union member
    if (isSubset(fromPrefixes([last]), fromPrefixes([network]))) return network;
  }
  return networkOf({ family: first.family, value: first.first } as Address, 0);
}

/** A segment for each block, and the External that it is made of. */
export function externalDocuments(blocks: Names["blocks"]): readonly Document[] {
  return blocks.flatMap(({ name, block }): readonly Document[] => [
    { kind: "External", metadata: { name, labels: { "imported-as": name } }, spec: { ...block } },
    {
      kind: "Segment",
      metadata: { name },
      spec: { members: [{ externals: { matchLabels: { "imported-as": name } } }] },
    },
  ]);
}
