import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { API, SESSION_PATH } from "../core/api/shapes.ts";
import {
  AcceptBody,
  ApproveBody,
  DiffQuery,
  ExplainQuery,
  FindingsQuery,
  NotifyRetryBody,
  ReachQuery,
  ReconcileBody,
  ReleaseBody,
  SegmentsQuery,
  SessionBody,
  SignInBody,
  TargetQuery,
} from "../services/console/asked.ts";

/** A route as people read of it. */
interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly what: string;
  /** Who may ask: anybody, a holder of either token or anybody signed in, of `api.token` only or signed in to write. */
  readonly access: "open" | "read" | "full" | "signed" | "link";
  /** What it takes: the query of a GET, the body of a POST. */
  readonly takes?: z.ZodType;
  /** The type of the answer, or the answer itself in words. */
  readonly answers: string;
}

const read = (what: string, answers: string, takes?: z.ZodType): Omit<Route, "path"> => ({
  method: "GET",
  access: "read",
  what,
  answers,
  ...(takes === undefined ? {} : { takes }),
});
const write = (what: string, answers: string, takes: z.ZodType): Omit<Route, "path"> => ({
  method: "POST",
  access: "full",
  what,
  answers,
  takes,
});

const CUT = "The lists of an effect have 20 lines at most; where lines or names are left out, `full` has all.";

/** A row for each path of the API: one without a row does not compile. */
const ROWS: Readonly<Record<keyof typeof API, Omit<Route, "path">>> = {
  status: read("The revision in force, the branch, and the state of every target.", "`StatusAnswer`"),
  overview: read(
    "Counts of targets and findings, and the targets that need somebody: what the console shows first.",
    "`OverviewAnswer`",
  ),
  causes: read("Open findings as an inbox: a row for each cause, 200 at most.", "`CausesAnswer`"),
  events: read(
    "Server-sent events, every two seconds: `beat` has the versions of `overview` and `causes`, `trouble` an error, `out` ends it.",
    "`text/event-stream`",
  ),
  findings: read(`Where live and Git part. ${CUT}`, "list of `FindingAnswer`", FindingsQuery),
  denials: read("What hosts that observe would have denied.", "list of `DenialsAnswer`", TargetQuery),
  plan: read(`What would be written now. ${CUT}`, "list of `PlanAnswer`", TargetQuery),
  inventory: read(
    "The workloads and the enforcement of every target, as `firebreak inventory save` writes them.",
    "`InventoryFile`",
  ),
  test: read("Guardrails and tests, on the workloads of now.", "`TestReport`"),
  explain: read("Why a connection is allowed or denied.", "`ExplainAnswer`", ExplainQuery),
  segments: read(
    "Who is in each segment and who in none; with `name`, why each member is in it.",
    "`SegmentsAnswer`",
    SegmentsQuery,
  ),
  reach: read("Who may connect to whom.", "`ReachAnswer`", ReachQuery),
  diff: read("What opens and closes between two revisions, or between Git and live.", "`DiffAnswer`", DiffQuery),
  reconcile: write("Look at targets and repair them now.", "`ReconcileAnswer`", ReconcileBody),
  accept: write("Accept a held or refused commit.", "`AcceptAnswer`", AcceptBody),
  approve: write("Approve a pull request's head by its plan.", "`ApproveAnswer`", ApproveBody),
  release: write(`Stop enforcing a target that is gone from Git. ${CUT}`, "`ReleaseAnswer`", ReleaseBody),
  notifyRetry: write("Send at once what a channel refused.", "`NotifyRetryAnswer`", NotifyRetryBody),
  signIn: write("Make a link into the console that counts once, for five minutes.", "`SignInAnswer`", SignInBody),
};

const OTHERS: readonly Route[] = [
  {
    method: "POST",
    path: SESSION_PATH,
    access: "link",
    what: "Take a link's code for a session in a cookie. Only with an `Origin` that is ours.",
    takes: SessionBody,
    answers: "`SessionAnswer`",
  },
  {
    method: "GET",
    path: SESSION_PATH,
    access: "open",
    what: "Who is signed in by the cookie.",
    answers: "`SessionAnswer`, or 401: nobody",
  },
  { method: "DELETE", path: SESSION_PATH, access: "read", what: "Sign out.", answers: "a message" },
  { method: "GET", path: "/console", access: "open", what: "Leads to `/console/`.", answers: "308" },
  { method: "GET", path: "/console/", access: "open", what: "The console's page.", answers: "HTML" },
  { method: "GET", path: "/console/:file", access: "open", what: "A script or a style of it.", answers: "the file" },
  { method: "GET", path: "/livez", access: "open", what: "The process runs.", answers: "`ok`" },
  {
    method: "GET",
    path: "/readyz",
    access: "open",
    what: "It has what it needs. With a token it names what it lacks.",
    answers: "`ok`, or 503 and a line for each thing that is away",
  },
  { method: "GET", path: "/metrics", access: "read", what: "Metrics for Prometheus.", answers: "Prometheus' text format" },
  {
    method: "POST",
    path: "/webhook/git",
    access: "signed",
    what: "A push or a pull request happened: the branch is read now. There is no such path while `repository.webhookSecret` is unset.",
    answers: "202",
  },
];

/** Every route of the console. */
export const ROUTES: readonly Route[] = [
  // The cast: the keys of a literal object.
  ...(Object.keys(ROWS) as (keyof typeof API)[]).map((name) => ({ ...ROWS[name], path: API[name] })),
  ...OTHERS,
];

const ACCESS: Readonly<Record<Route["access"], string>> = {
  open: "anybody",
  read: "`api.token`, `api.readToken`, or a session",
  full: "`api.token`, or a session that may write",
  link: "whoever has a link",
  signed: "whoever signs with `repository.webhookSecret`",
};

/**
 * The body of docs/reference/api.md.
 *
 * @param row a line of a table
 */
export function apiSections(row: (cells: readonly string[]) => string): readonly string[] {
  return [
    "## Routes\n",
    "| route | what it does | who may | answer |\n|---|---|---|---|",
    ...ROUTES.map(({ method, path, what, access, answers }) => row([`\`${method} ${path}\``, what, ACCESS[access], answers])),
    "",
    "## What they take\n",
    "| route | where | field | type | what it is |\n|---|---|---|---|---|",
    ...ROUTES.flatMap(({ method, path, takes }) =>
      takes === undefined
        ? []
        : fieldsOf(takes).map((cells) => row([`\`${path}\``, method === "GET" ? "query" : "body", ...cells])),
    ),
    "",
    "## Answers\n",
    "As TypeScript types. Times are ISO 8601, in UTC. Fields are added, never renamed. The longer ones are in `core/explain/answer.ts` (`ExplainAnswer`), `core/guardrail/report.ts` (`TestReport`), `core/segments/list.ts` (`SegmentsAnswer`) and `core/observed/inventory-file.ts` (`InventoryFile`).\n",
    `\`\`\`ts\n${answerTypes()}\n\`\`\`\n`,
  ];
}

interface FieldSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly FieldSchema[];
}

function schemaOf(takes: z.ZodType): FieldSchema {
  // The schema is plain JSON Schema, of which FieldSchema names the part that is shown.
  return z.toJSONSchema(takes, { io: "input" }) as FieldSchema;
}

function fieldsOf(takes: z.ZodType): readonly (readonly string[])[] {
  const schema = schemaOf(takes);
  const ways = schema.anyOf ?? [schema];
  return ways.flatMap((way, index) =>
    Object.entries(way.properties ?? {}).map(([name, field]) => {
      const type = field.const === undefined ? (field.type ?? "value") : `\`${JSON.stringify(field.const)}\``;
      const isRequired = way.required?.includes(name) === true;
      const or = ways.length > 1 && index > 0 ? "Or: " : "";
      return [`\`${name}\``, `${type}${isRequired ? ", required" : ""}`, `${or}${field.description ?? ""}`];
    }),
  );
}

/** The exported types of core/api/shapes.ts, as they are written there. */
function answerTypes(): string {
  const text = readFileSync(join(import.meta.dirname, "../core/api/shapes.ts"), "utf8");
  const doc = /(?:\/\*\*(?:(?!\*\/)[^])*\*\/\n)?/.source;
  const types =
    text.match(new RegExp(`${doc}export (?:interface [^]*?\\n\\}|type [^]*?;|const TARGET_STATES [^]*?;)(?=\\n)`, "g")) ?? [];
  return types.map((type) => type.replace(/ as const;$/, ";").replaceAll(/^export /gm, "")).join("\n\n");
}

/** An OpenAPI 3.1 document: paths, what they take, and who may ask. Answers are described in docs/reference/api.md. */
export function openApiText(version: string): string {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, path, what, access, takes, answers } of ROUTES) {
    const schema = takes === undefined ? undefined : schemaOf(takes);
    paths[path.replace(":file", "{file}")] = {
      ...paths[path],
      [method.toLowerCase()]: {
        summary: what,
        ...(access === "read" || access === "full" ? { security: [{ token: [] }] } : { security: [] }),
        ...(schema !== undefined && method === "GET" ? { parameters: parametersOf(schema) } : {}),
        ...(path.endsWith(":file")
          ? { parameters: [{ name: "file", in: "path", required: true, schema: { type: "string" } }] }
          : {}),
        ...(schema !== undefined && method === "POST"
          ? { requestBody: { content: { "application/json": { schema: bodyOf(schema) } } } }
          : {}),
        responses: {
          [path === "/webhook/git" ? "202" : "200"]: { description: answers.replaceAll("`", "") },
          default: { description: "An error: {code, message}" },
        },
      },
    };
  }
  const document = {
    openapi: "3.1.0",
    info: { title: "Firebreak", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    paths,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function parametersOf(schema: FieldSchema): readonly unknown[] {
  const ways = schema.anyOf ?? [schema];
  return ways.flatMap((way) =>
    Object.entries(way.properties ?? {}).map(([name, { description, ...field }]) => ({
      name,
      in: "query",
      required: ways.length === 1 && way.required?.includes(name) === true,
      description,
      schema: field,
    })),
  );
}

function bodyOf(schema: FieldSchema): FieldSchema {
  const { $schema: _draft, ...body } = schema as FieldSchema & { readonly $schema?: string };
  return body;
}
