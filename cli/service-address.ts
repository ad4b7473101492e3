import { FirebreakError } from "../core/ground/error.ts";
import { tell } from "./output.ts";
import { DEFAULT_SETTINGS_FILE } from "./settings-file.ts";

/** Variables that name a service elsewhere, for machines without its settings: a runner of workflows, a laptop. */
const URL_VARIABLE = "FIREBREAK_SERVICE_URL";
const TOKEN_VARIABLE = "FIREBREAK_SERVICE_TOKEN";

/** A service and the token for it. */
export interface ServiceAddress {
  /** Without a slash at its end. */
  readonly url: string;
  readonly token: string;
}

/**
 * The service that FIREBREAK_SERVICE_URL and FIREBREAK_SERVICE_TOKEN name; undefined when neither is set.
 *
 * @param configFile what `--config` says: another file than the default one names another service, so both together are refused
 * @throws FirebreakError CONFIG_INVALID when only one is set, or the URL is none
 */
export function serviceFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  configFile: string,
): ServiceAddress | undefined {
  const [url, token] = [environment[URL_VARIABLE]?.trim() ?? "", environment[TOKEN_VARIABLE]?.trim() ?? ""];
  if (url === "" && token === "") return undefined;
  // A secret that a forge does not hand out arrives empty: that must not mean another service.
  if (url === "" || token === "") {
    throw new FirebreakError("CONFIG_INVALID", `${url === "" ? URL_VARIABLE : TOKEN_VARIABLE} is not set; both are needed`);
  }
  if (configFile !== DEFAULT_SETTINGS_FILE) {
    throw new FirebreakError("CONFIG_INVALID", `--config and ${URL_VARIABLE} name two services; leave one out`);
  }
  return { url: parseUrl(url), token };
}

function parseUrl(text: string): string {
  const url = URL.parse(text);
  const isPlain = url !== null && url.username === "" && url.password === "" && url.search === "" && url.hash === "";
  if (!isPlain || !/^https?:$/.test(url.protocol)) {
    throw new FirebreakError("CONFIG_INVALID", `${URL_VARIABLE} must be an http(s) URL without user, query and fragment`);
  }
  if (url.protocol === "http:" && !/^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)) {
    tell(`${URL_VARIABLE} is not https: whoever is on the way can read the token`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}
