import { text } from "node:stream/consumers";
import { openForge } from "../../adapters/forge/open.ts";
import { commentMarker } from "../../core/forge/comment.ts";
import type { Forge } from "../../core/forge/forge.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { tell } from "../output.ts";

const TIMEOUT_MS = 120_000;
/** Of workflows, not of the service: where both write, each keeps its own comment. */
const MARKER = commentMarker("review", "workflow");

/** What a runner of workflows tells every step, on GitHub, Gitea and Forgejo alike. */
const VARIABLES = ["GITHUB_API_URL", "GITHUB_REPOSITORY", "GITHUB_TOKEN"] as const;

/** `firebreak comment NUMBER`: standard input becomes the one comment of workflows on a pull request. */
export async function comment(number: string): Promise<number> {
  if (!/^[1-9][0-9]{0,9}$/.test(number)) throw new FirebreakError("USAGE", "it takes the number of a pull request");
  const forge = forgeOfRunner(process.env);
  const body = await text(process.stdin);
  if (body.trim() === "") throw new FirebreakError("USAGE", "standard input is empty; it becomes the comment");
  const { kind } = await forge.putComment(Number(number), { marker: MARKER, body }, AbortSignal.timeout(TIMEOUT_MS));
  tell(`comment on ${forge.repository}#${number}: ${kind}`);
  return 0;
}

/** @throws FirebreakError CONFIG_INVALID outside of a workflow, or where no token was handed to the step */
function forgeOfRunner(environment: Readonly<Record<string, string | undefined>>): Forge {
  const [url = "", repository = "", token = ""] = VARIABLES.map((name) => environment[name]);
  const missing = VARIABLES.filter((name) => (environment[name] ?? "") === "");
  if (missing.length > 0) throw new FirebreakError("CONFIG_INVALID", `not set: ${missing.join(", ")}; a workflow's step has them`);
  const isGitea = environment["GITEA_ACTIONS"] === "true" || environment["FORGEJO_ACTIONS"] === "true";
  return openForge({ kind: isGitea ? "gitea" : "github", url, repository, credential: { token } });
}
