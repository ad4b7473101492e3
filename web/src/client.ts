import type { ErrorShape } from "../../core/api/shapes.ts";

/** An answer that is an error, in the service's words. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, { code, message }: ErrorShape) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** Where a path of the API is from here: the page may be reached behind a prefix. */
export function addressOf(path: string): string {
  return new URL(`..${path}`, window.location.href).href;
}

/**
 * Asks the service. The browser keeps what has an ETag and asks whether it changed.
 *
 * @throws Refused, also when nothing answers (status 0)
 */
export async function ask<T>(
  method: "GET" | "POST" | "DELETE",
  path: string,
  options: { csrf?: string; body?: unknown } = {},
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(addressOf(path), {
      method,
      headers: {
        ...(options.csrf === undefined ? {} : { "x-firebreak-csrf": options.csrf }),
        ...(options.body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      credentials: "same-origin",
      redirect: "error",
    });
  } catch {
    throw new Refused(0, { code: "API_UNREACHABLE", message: "the service does not answer" });
  }
  // The casts: the API's contract says what is answered; what is not JSON is not Firebreak.
  const answer = (await response.json().catch(() => ({ code: "API_REFUSED", message: `HTTP ${response.status}` }))) as unknown;
  if (!response.ok) throw new Refused(response.status, answer as ErrorShape);
  return answer as T;
}
