import type { Client, RequestLimits } from "./client.ts";
import { statusOf } from "./failure.ts";
import { allPages, PAGE } from "./pages.ts";

/** Grey: what a label means is its name's business. */
const COLOR = "6e7781";

/** Adds what an issue or pull request lacks of these; makes those in the repository that nobody made yet. */
export async function addLabels(
  client: Client,
  number: number,
  has: readonly string[],
  wanted: readonly string[],
  request: RequestLimits,
): Promise<void> {
  const { octokit, at } = client;
  const missing = wanted.filter((label) => !has.some((name) => isSameName(name, label)));
  if (missing.length === 0) return;
  const known = await allPages<{ readonly name: string }>((page) =>
    octokit.rest.issues.listLabelsForRepo({ ...at, ...PAGE, page, request }),
  );
  for (const name of missing) if (!known.some((label) => isSameName(label.name, name))) await create(client, name, request);
  await octokit.rest.issues.addLabels({ ...at, issue_number: number, labels: missing, request });
}

/** As {@link addLabels}, and takes away those that begin with `own` and are not wanted. */
export async function putLabels(
  client: Client,
  number: number,
  has: readonly string[],
  wanted: readonly string[],
  own: string | undefined,
  request: RequestLimits,
): Promise<void> {
  await addLabels(client, number, has, wanted, request);
  const kept = has.filter((name) => own === undefined || !name.startsWith(own) || wanted.some((label) => isSameName(name, label)));
  if (kept.length === has.length) return;
  const labels = [...kept, ...wanted.filter((label) => !kept.some((name) => isSameName(name, label)))];
  await client.octokit.rest.issues.setLabels({ ...client.at, issue_number: number, labels, request });
}

async function create({ octokit, at }: Client, name: string, request: RequestLimits): Promise<void> {
  try {
    await octokit.rest.issues.createLabel({ ...at, name, color: COLOR, request });
  } catch (error) {
    if (statusOf(error) !== 422 && statusOf(error) !== 409) throw error; // made by somebody else meanwhile
  }
}

/** GitHub's labels do not tell upper from lower case. */
function isSameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
