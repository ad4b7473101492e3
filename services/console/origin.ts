import type { IncomingHttpHeaders } from "node:http";
import { isOurHost } from "./access.ts";

/**
 * True when a browser says that our own page asks. Cookies do not know ports, so a page on another port of this machine would bring
 * ours along: host and port have to be those that the request was sent to, or a name of `api.hostnames` behind a proxy.
 */
export function isOurPage(headers: IncomingHttpHeaders, listen: string, hostnames: readonly string[]): boolean {
  const { origin, host } = headers;
  const site = headers["sec-fetch-site"];
  if (origin === undefined || (site !== undefined && site !== "same-origin")) return false;
  const asked = /^https?:\/\/([^/?#\s]+)$/.exec(origin)?.[1]?.toLowerCase();
  if (asked === undefined || !isOurHost(asked, listen, hostnames)) return false;
  return asked === host?.toLowerCase() || hostnames.some((name) => name.toLowerCase() === asked);
}

/** The value of a cookie; undefined when there is none. */
export function cookieOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const pairs = (headers.cookie ?? "").split(";").map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}
