import { SESSION_PATH, type SessionAnswer } from "../../core/api/shapes.ts";
import { ask, Refused } from "./client.ts";

/** How the page starts: with somebody, or with what to say to whoever is not signed in. */
export type Started = { readonly session: SessionAnswer } | { readonly session: undefined; readonly why: string | undefined };

const LINK = /^#\/link\/([\w-]+)$/;

// A link that is opened where the page is already open changes only what follows the `#`.
window.addEventListener("hashchange", () => {
  if (LINK.test(window.location.hash)) window.location.reload();
});

/** Takes the code of a link, which goes from the address at once, or asks who is signed in. */
export async function begin(): Promise<Started> {
  const code = LINK.exec(window.location.hash)?.[1];
  if (code !== undefined) window.history.replaceState(null, "", "#/");
  try {
    if (code !== undefined) return { session: await ask<SessionAnswer>("POST", SESSION_PATH, { body: { code } }) };
    return { session: await ask<SessionAnswer>("GET", SESSION_PATH) };
  } catch (error) {
    const isStranger = code === undefined && error instanceof Refused && error.status === 401;
    return { session: undefined, why: isStranger ? undefined : (error as Error).message };
  }
}

export async function signOut({ csrf }: SessionAnswer): Promise<void> {
  await ask("DELETE", SESSION_PATH, { csrf });
}
