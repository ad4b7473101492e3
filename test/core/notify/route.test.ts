import { describe, expect, it } from "vitest";
import { DEFAULT_ROUTE, destinationsOf } from "../../../core/notify/route.ts";
import type { Routed } from "../../../core/notify/route.ts";
import type { Route } from "../../../core/model/kinds.ts";

const incident: Routed = {
  severity: "high",
  kind: "modified",
  target: "cluster/prod-eu",
  targetLabels: { env: "prod" },
  teams: ["shop"],
  cause: "c1",
};
const CHANNELS = ["chat", "mail", "pager"];

function route(over: Partial<Omit<Route, "match">> & { readonly match?: Partial<Route["match"]> }): Route {
  return { ...DEFAULT_ROUTE, ...over, match: { ...DEFAULT_ROUTE.match, ...over.match } };
}

function channelsFor(routes: readonly Route[], over: Partial<Routed> = {}): readonly string[] {
  return destinationsOf(routes, { ...incident, ...over }, CHANNELS).map(({ channel }) => channel);
}

describe("routes", () => {
  it("without routes everything goes everywhere", () => {
    expect(channelsFor([])).toEqual(CHANNELS);
  });

  it("the first that matches counts", () => {
    const routes = [
      route({ match: { severities: ["critical"] }, channels: ["pager"] }),
      route({ channels: ["chat"] }),
      route({ channels: ["mail"] }),
    ];
    expect(channelsFor(routes)).toEqual(["chat"]);
    expect(channelsFor(routes, { severity: "critical" })).toEqual(["pager"]);
  });

  it("`continue` tries those below too, and no channel is told twice", () => {
    expect(channelsFor([route({ channels: ["chat"], continues: true }), route({ channels: ["mail", "chat"] })])).toEqual([
      "chat",
      "mail",
    ]);
  });

  it("chooses by team and by the target's labels", () => {
    const routes = [
      route({ match: { teams: ["bank"] }, channels: ["pager"] }),
      route({ match: { targets: { matchLabels: { env: "prod" } } }, channels: ["mail"] }),
    ];
    expect(channelsFor(routes)).toEqual(["mail"]);
    expect(channelsFor(routes, { teams: ["shop", "bank"] })).toEqual(["pager"]);
  });

  it("what no route matches is told everywhere (the bug: an incident that nobody hears of)", () => {
    expect(channelsFor([route({ match: { teams: ["bank"] }, channels: ["pager"] })], { teams: [] })).toEqual(CHANNELS);
  });

  it("groups by what the route names (the bug: a thousand targets with one cause are a thousand messages)", () => {
    const group = (over: Partial<Routed>, routes: readonly Route[] = []) =>
      destinationsOf(routes, { ...incident, ...over }, ["chat"])[0]?.group;
    expect(group({ target: "cluster/a" })).toBe(group({ target: "cluster/b" }));
    expect(group({ cause: "c2" })).not.toBe(group({}));
    const byTarget = [route({ groupBy: ["target"] })];
    expect(group({ target: "cluster/a" }, byTarget)).not.toBe(group({ target: "cluster/b" }, byTarget));
  });
});
