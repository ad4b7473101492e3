/** One rule: its expressions in order, as nft prints them in JSON. */
export interface ListedRule {
  readonly expressions: readonly unknown[];
}

export interface ListedChain {
  readonly name: string;
  readonly rules: ListedRule[];
  /** Only base chains have a hook. */
  readonly hook: string | undefined;
  readonly type: string | undefined;
  readonly policy: "accept" | "drop";
}

/** What a listing says about one table; names are unique within it. */
export interface ListedTable {
  readonly exists: boolean;
  /** A dormant table is listed in full and does nothing. */
  readonly isDormant: boolean;
  readonly chains: ReadonlyMap<string, ListedChain>;
  /** Elements of named sets and maps. */
  readonly elements: ReadonlyMap<string, readonly unknown[]>;
  /** Objects of the table that this reader does not know. */
  readonly strange: readonly string[];
}

/** Which table; `inet firebreak` unless told otherwise. */
export interface TableName {
  readonly family: string;
  readonly name: string;
}

const HARMLESS = new Set(["metainfo", "counter", "quota", "limit"]);

/**
 * Reads the output of `nft -j list table …` or `… ruleset` (the parsed object, or its `nftables` array), as far as it concerns one
 * table. Throws nothing: what has an unknown shape is named in `strange`.
 */
export function readListing(listing: unknown, table: TableName): ListedTable {
  const chains = new Map<string, ListedChain>();
  const elements = new Map<string, readonly unknown[]>();
  const strange: string[] = [];
  let exists = false;
  let isDormant = false;
  for (const [kind, object] of objectsOf(listing, strange)) {
    const isTable = kind === "table";
    if (object["family"] !== table.family || (isTable ? object["name"] : object["table"]) !== table.name) continue;
    if (isTable) {
      exists = true;
      isDormant = readsDormant(listOf(object["flags"]), strange);
    } else if (kind === "chain") chains.set(String(object["name"]), readChain(object));
    else if (kind === "rule") addRule(chains, object, strange);
    else if (kind === "set" || kind === "map") elements.set(String(object["name"]), listOf(object["elem"]));
    else if (!HARMLESS.has(kind)) strange.push(`${kind} ${String(object["name"])}`);
  }
  return { exists, isDormant, chains, elements, strange };
}

/** A table of a listing, with the objects that are about it. */
export interface TableObjects extends TableName {
  readonly objects: readonly unknown[];
}

/** The tables of a listing, in its order, each once; one pass, because a listing may hold any number of them. */
export function tablesOf(listing: unknown): readonly TableObjects[] {
  const tables = new Map<string, TableName & { readonly objects: unknown[] }>();
  const all = objectsOf(listing, []);
  for (const [kind, object] of all) {
    if (kind !== "table") continue;
    const [family, name] = [String(object["family"]), String(object["name"])];
    tables.set(`${family} ${name}`, { family, name, objects: [] });
  }
  for (const [kind, object] of all) {
    const name = kind === "table" ? object["name"] : object["table"];
    tables.get(`${String(object["family"])} ${String(name)}`)?.objects.push({ [kind]: object });
  }
  return [...tables.values()];
}

/** nft 1.0.6 prints garbage for table flags in JSON: a flag that is not known may be `dormant`. */
function readsDormant(flags: readonly unknown[], strange: string[]): boolean {
  const isUnread = flags.some((flag) => flag !== "dormant" && flag !== "owner" && flag !== "persist");
  if (isUnread) strange.push("table flags that cannot be read, taken for dormant");
  return isUnread || flags.includes("dormant");
}

function objectsOf(listing: unknown, strange: string[]): readonly (readonly [string, Readonly<Record<string, unknown>>])[] {
  const list = Array.isArray(listing) ? listing : recordOf(listing)["nftables"];
  if (!Array.isArray(list)) {
    strange.push("a listing without objects");
    return [];
  }
  return list.flatMap((item: unknown) => Object.entries(recordOf(item)).map(([kind, object]) => [kind, recordOf(object)] as const));
}

function readChain(object: Readonly<Record<string, unknown>>): ListedChain {
  const { name, hook, type, policy } = object;
  return {
    name: String(name),
    rules: [],
    hook: typeof hook === "string" ? hook : undefined,
    type: typeof type === "string" ? type : undefined,
    policy: policy === "drop" ? "drop" : "accept",
  };
}

function addRule(chains: ReadonlyMap<string, ListedChain>, object: Readonly<Record<string, unknown>>, strange: string[]): void {
  const chain = chains.get(String(object["chain"]));
  if (chain === undefined) strange.push(`a rule of the unknown chain ${String(object["chain"])}`);
  else chain.rules.push({ expressions: listOf(object["expr"]) });
}

/** The value as an object; `{}` for anything else. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

/** The value as a list: nft writes lists of one as a scalar, and no list at all when empty. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : [value];
}
