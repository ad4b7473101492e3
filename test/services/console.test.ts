/** Who may do what with the console, over all of its routes: by token, by session, and from somebody else's page. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROUTES } from "../../cli/reference-api.ts";
import { API, SESSION_PATH, type OverviewAnswer } from "../../core/api/shapes.ts";
import { FULL, openConsoleWorld, READ, type ConsoleWorld } from "../support/console-world.ts";

let world: ConsoleWorld;

beforeAll(async () => {
  world = await openConsoleWorld();
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

type Headers = Readonly<Record<string, string>>;

/** Who asks; each has a session of its own for each request, since signing out ends it. */
const ROLES: Readonly<Record<string, () => Promise<Headers>>> = {
  nobody: async () => await Promise.resolve({}),
  "the full token": async () => await Promise.resolve({ authorization: `Bearer ${FULL}` }),
  "the token that may read": async () => await Promise.resolve({ authorization: `Bearer ${READ}` }),
  operator: async () => await sessionHeaders(false, (csrf) => ({ "x-firebreak-csrf": csrf, origin: world.url })),
  viewer: async () => await sessionHeaders(true, (csrf) => ({ "x-firebreak-csrf": csrf, origin: world.url })),
  "an operator's cookie without the CSRF header": async () => await sessionHeaders(false, () => ({ origin: world.url })),
  "an operator's cookie on another port's page": async () =>
    await sessionHeaders(false, (csrf) => ({ "x-firebreak-csrf": csrf, origin: "http://127.0.0.1:1" })),
  "a guessed cookie": async () => await Promise.resolve({ cookie: "firebreak-01234567=guess", origin: world.url }),
};

async function sessionHeaders(view: boolean, more: (csrf: string) => Headers): Promise<Headers> {
  const { cookie, session } = await world.signIn(view);
  return { cookie, ...more(session.csrf) };
}

/** Who is let in to a write, to a read, and to signing out; everybody else is refused with that status. */
const LET_IN: Readonly<Record<"read" | "full" | "out", Readonly<Record<string, 401 | 403 | "in">>>> = {
  read: {
    nobody: 401,
    "the full token": "in",
    "the token that may read": "in",
    operator: "in",
    viewer: "in",
    "an operator's cookie without the CSRF header": "in",
    "an operator's cookie on another port's page": "in", // it cannot read the answer: nothing here allows other origins
    "a guessed cookie": 401,
  },
  full: {
    nobody: 401,
    "the full token": "in",
    "the token that may read": 403,
    operator: "in",
    viewer: 403,
    "an operator's cookie without the CSRF header": 403,
    "an operator's cookie on another port's page": 403,
    "a guessed cookie": 401,
  },
  out: {
    nobody: 401,
    "the full token": "in",
    "the token that may read": "in",
    operator: "in",
    viewer: "in",
    "an operator's cookie without the CSRF header": 403,
    "an operator's cookie on another port's page": 403,
    "a guessed cookie": 401,
  },
};

/** The status, and whether other origins may read the answer. */
async function ask(
  method: string,
  path: string,
  headers: Headers,
): Promise<{ readonly status: number; readonly cors: string | null }> {
  const cut = new AbortController();
  const response = await fetch(`${world.url}${path}`, {
    method,
    headers: method === "GET" ? headers : { "content-type": "application/json", ...headers },
    ...(method === "GET" ? {} : { body: "no JSON" }), // whoever is let in is told so
    redirect: "manual",
    signal: cut.signal,
  });
  const answer = { status: response.status, cors: response.headers.get("access-control-allow-origin") };
  cut.abort();
  return answer;
}

describe("all routes and roles", () => {
  // Bug: somebody adds a route, and nobody ever asks who may use it.
  it("has a row for each route", () => {
    expect(world.routes.toSorted()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted());
  });

  // Bug: a viewer, or a page of somebody else in the browser of an operator, changes something.
  it.each(ROUTES.filter(({ access }) => access === "read" || access === "full"))(
    "$method $path",
    async ({ method, path, access }) => {
      const kind = method === "DELETE" ? "out" : access;
      const got: Record<string, number | string> = {};
      for (const [role, headersOf] of Object.entries(ROLES)) {
        const { status, cors } = await ask(method, path, await headersOf());
        got[role] = status === 401 || status === 403 ? status : "in";
        expect(cors).toBeNull();
      }
      expect(got).toEqual(LET_IN[kind as keyof typeof LET_IN]);
    },
  );

  it.each(ROUTES.filter(({ access }) => access === "open"))(
    "anybody may ask $method $path, and learns nothing",
    async ({ method, path }) => {
      const { status } = await ask(method, path.replace(":file", "no-such.js"), {});
      expect(path === SESSION_PATH ? [401] : [200, 308, 404, 503]).toContain(status);
    },
  );
});

describe("a link", () => {
  const redeem = async (path: string, headers: Headers): Promise<Response> =>
    await fetch(`${world.url}${SESSION_PATH}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ code: path.split("/").at(-1) }),
    });

  // Bug: a link in a chat's history lets in whoever finds it.
  it("counts once, and gives a cookie that no script can read", async () => {
    const link = await world.link();
    const first = await redeem(link, { origin: world.url });
    expect(first.headers.get("set-cookie")).toMatch(
      /^firebreak-01234567=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/,
    );
    expect([first.status, (await redeem(link, { origin: world.url })).status]).toEqual([200, 401]);
  });

  // Bug: a page elsewhere signs somebody in as the attacker, or uses up the link.
  it.each([
    ["no origin", {}],
    ["another site", { origin: "https://evil.example" }],
    ["another port of this machine", { origin: "http://127.0.0.1:1" }],
    ["a page that has no origin", { origin: "null" }],
    ["a browser that says cross-site", { "sec-fetch-site": "cross-site" }],
  ])("is not taken from %s, and counts afterwards", async (_name, headers) => {
    const link = await world.link();
    const own = "sec-fetch-site" in headers ? { origin: world.url } : {};
    expect((await redeem(link, { ...own, ...headers })).status).toBe(403);
    expect((await redeem(link, { origin: world.url })).status).toBe(200);
  });

  // Bug: wrong codes without end fill the log and keep the processor busy; or they lock out whoever has a right one.
  it("that is wrong is refused, after some more slowly, and a right one is taken still", async () => {
    const statuses = new Set<number>();
    for (let tries = 0; tries < 30; tries++) statuses.add((await redeem("/guess", { origin: world.url })).status);
    expect(statuses).toEqual(new Set([401, 429]));
    expect((await redeem(await world.link(), { origin: world.url })).status).toBe(200);
  });
});

describe("a session", () => {
  const overview = async (cookie: string): Promise<Response> => await fetch(`${world.url}${API.overview}`, { headers: { cookie } });

  it("is over after signing out, and after a restart", async () => {
    const { cookie, session } = await world.signIn();
    expect((await overview(cookie)).status).toBe(200);
    const headers = { cookie, origin: world.url, "x-firebreak-csrf": session.csrf };
    expect((await fetch(`${world.url}${SESSION_PATH}`, { method: "DELETE", headers })).status).toBe(200);
    expect((await overview(cookie)).status).toBe(401);
    const other = await world.signIn();
    await world.stop();
    await world.start();
    expect((await overview(other.cookie)).status).toBe(401);
  });

  // Bug: every page asks for everything every two seconds.
  it("gets an answer that did not change once", async () => {
    const { cookie } = await world.signIn(true);
    const first = await overview(cookie);
    expect(((await first.json()) as OverviewAnswer).targets).toBe(0);
    const again = await fetch(`${world.url}${API.overview}`, {
      headers: { cookie, "if-none-match": first.headers.get("etag") ?? "" },
    });
    expect(again.status).toBe(304);
  });
});

// Bug: a page without a policy, one that is framed, or one whose number is the same for everybody.
it("the page has a strict policy, whose number is another one each time", async () => {
  const read = async () => (await fetch(`${world.url}/console/`)).headers;
  const [one, two] = [await read(), await read()];
  const policy = one.get("content-security-policy") ?? "";
  expect(policy).toMatch(/default-src 'none'; script-src 'self'; style-src 'self' 'nonce-[\w+/=]{24}'/);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  expect(policy).not.toBe(two.get("content-security-policy"));
  expect((await fetch(`${world.url}/console`, { redirect: "manual" })).headers.get("location")).toBe("console/");
  for (const path of ["/console/..%2fpackage.json", "/console/%2e%2e%2fpackage.json", "/console/index.html"])
    expect((await fetch(`${world.url}${path}`)).status, path).toBe(404);
});
