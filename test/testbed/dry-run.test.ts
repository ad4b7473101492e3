/** Needs the built control plane; no root. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FIELDS } from "../../core/manifest/fields.ts";
import { createNamespace, startCluster, type TestCluster } from "../../testbed/cluster.ts";
import type { KubeObject } from "../../testbed/kube-api.ts";
import { KubeApiError } from "../../testbed/kube-api.ts";
import { openRun, type Run } from "../../testbed/run.ts";
import { waitFor } from "../../testbed/wait.ts";
import { BASES } from "./dry-run/bases.ts";
import { models, readOne, refusalOf } from "./dry-run/model.ts";
import { documents } from "./dry-run/mutate.ts";
import type { Document } from "./dry-run/mutate.ts";
import { fieldTable } from "./dry-run/openapi.ts";

const GROUP = "/apis/policy.networking.k8s.io";
const KINDS = ["v1alpha1/adminnetworkpolicies", "v1alpha1/baselineadminnetworkpolicies", "v1alpha2/clusternetworkpolicies"];

let run: Run;
let cluster: TestCluster;

beforeAll(async () => {
  run = openRun();
  cluster = await startCluster({ run, name: "dry" });
  await createNamespace(cluster, "shop", { team: "shop" });
  for (const name of KINDS.map((kind) => kind.split("/")[1])) {
    const text = readFileSync(join(import.meta.dirname, "fixtures", "crds", `${name}.json`), "utf8");
    await cluster.api.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", JSON.parse(text));
  }
  const areServed = async (): Promise<boolean> => {
    for (const kind of KINDS) await cluster.api.get(`${GROUP}/${kind}`);
    return true;
  };
  await waitFor(areServed, { what: "the policy kinds are served", timeoutMs: 30_000 });
}, 300_000);

afterAll(async () => {
  await run?.close();
});

/** What a server says to one document, as kubectl asks it. */
type Answer = { readonly object: KubeObject } | { readonly refusal: string };

async function ask({ collection, object }: Document): Promise<Answer> {
  try {
    return { object: await cluster.api.call("POST", `${collection}?dryRun=All&fieldValidation=Strict`, object) };
  } catch (error) {
    if (!(error instanceof KubeApiError && error.status < 500)) throw error;
    return { refusal: error.message };
  }
}

async function askAll(all: readonly Document[]): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  const left = all.entries();
  const worker = async (): Promise<void> => {
    for (const [index, document] of left) answers[index] = await ask(document);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return answers;
}

/** The server alone knows which addresses and node ports are free, and where they may lie. */
const ONLY_THE_SERVER = /not in the valid range|already allocated|can't be used in a non dual-stack|primary ipfamily|ipFamil/i;

/**
 * Refused here, and taken by the server: selectors of the policy kinds that are no selectors (nothing in their CRDs checks them),
 * protocols and ranges that v1alpha1 does not look at, and addresses that readers take differently.
 */
const ONLY_HERE =
  /NetworkPolicy .*(is not a label (key|value)|must not be empty|portRange\.(end|protocol) must|must be one of In, NotIn)|has leading zeros/;

// 2,000 with a fixed seed, as for the decoders: the answers of one run are those of the next.
test("the API server takes what is read, refuses what is refused, and keeps what was read (bug: an analysis of objects that no cluster has)", async () => {
  const all = [...BASES, ...fc.sample(documents, { numRuns: 2_000, seed: 1_344 })];
  const answers = await askAll(all);
  const counts = new Map<string, { taken: number; refused: number }>();
  const differences: string[] = [];
  for (const [index, { object }] of all.entries()) {
    const answer = answers[index] as Answer; // as many as documents
    const kind = String(object["kind"]);
    const count = counts.get(kind) ?? { taken: 0, refused: 0 };
    counts.set(kind, count);
    count["object" in answer ? "taken" : "refused"] += 1;
    const difference = differenceOf(object, answer);
    if (difference !== undefined) differences.push(`${difference}: ${JSON.stringify(object)}`);
  }
  console.log(
    `documents by kind, taken and refused: ${[...counts].map(([kind, { taken, refused }]) => `${kind} ${taken}/${refused}`).join(", ")}`,
  );
  expect(differences).toEqual([]);
  for (const [kind, { taken, refused }] of counts) expect(Math.min(taken, refused), kind).toBeGreaterThan(5); // both happen to each
  expect(counts.size).toBe(new Set(BASES.map(({ object }) => object["kind"])).size);
}, 300_000);

function differenceOf(object: Document["object"], answer: Answer): string | undefined {
  const read = readOne(object);
  const refusal = refusalOf(read);
  if ("refusal" in answer)
    return refusal === undefined && !ONLY_THE_SERVER.test(answer.refusal) ? `read, and refused: ${answer.refusal}` : undefined;
  if (read.manifests === undefined) return ONLY_HERE.test(refusal ?? "") ? undefined : `refused here, and taken: ${refusal}`;
  const answered = readOne(answer.object);
  if (answered.manifests === undefined) return `what the server made of it is refused here: ${refusalOf(answered)}`;
  const isNamed = typeof (object["metadata"] as { name?: unknown } | undefined)?.name === "string";
  if (!isNamed) return undefined; // the server makes another name each time
  const [given, kept] = models(read.manifests, answered.manifests);
  try {
    expect(kept).toEqual(given);
    return undefined;
  } catch (error) {
    return `read otherwise than the server keeps it: ${String(error)}`;
  }
}

test("the table of fields is the server's own (bug: a field of a release is unknown, or one that is gone is known)", async () => {
  expect(FIELDS.split("\n")).toEqual(fieldTable(await cluster.api.get("/openapi/v2")));
}, 60_000);
