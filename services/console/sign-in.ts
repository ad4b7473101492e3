import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { SESSION_PATH, API, type SessionAnswer, type SignInAnswer } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { apiToken } from "../api-token.ts";
import { isSameSecret, type Access } from "./access.ts";
import { SessionBody, SignInBody } from "./asked.ts";
import type { ConsoleParts } from "./main.ts";
import { cookieOf, isOurPage } from "./origin.ts";
import { Sessions, type Session } from "./sessions.ts";

/** Wrong codes of everybody together in a minute; a right one is always taken, since nobody guesses 256 bits. */
const MOST_WRONG = 20;
const MINUTE_MS = 60_000;
export const CSRF_HEADER = "x-firebreak-csrf";

/** People who came by a one-time link. */
export interface SignedIn {
  /** What the request's cookie allows; "foreign": it is a write, and not surely of our own page. */
  accessOf(request: FastifyRequest): Promise<Access | "foreign">;
  addRoutes(app: FastifyInstance): void;
}

export function openSignedIn({ settings, environment, instance, now, elapsed }: ConsoleParts): SignedIn {
  const sessions = new Sessions(elapsed);
  const cookie = `firebreak-${instance.slice(0, 8)}`;
  const token = async (): Promise<string> => await apiToken(settings, environment);
  const isOurs = ({ headers }: FastifyRequest): boolean => isOurPage(headers, settings.listen, settings.api.hostnames);
  const sessionOf = async (request: FastifyRequest): Promise<Session | undefined> =>
    sessions.find(cookieOf(request.headers, cookie), await token());
  // Sessions live by a clock that never jumps; people read the other one.
  const isoTime = (at: number): string => new Date(now() + at - elapsed()).toISOString();
  const answerOf = ({ access, csrf, expiresAt }: Session): SessionAnswer => ({
    mayWrite: access === "full",
    csrf,
    expiresAt: isoTime(expiresAt),
  });
  const setCookie = (request: FastifyRequest, reply: FastifyReply, value: string, seconds: number): void => {
    const secure = request.headers.origin?.startsWith("https://") === true ? "; Secure" : "";
    void reply.header("set-cookie", `${cookie}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`);
  };
  const wrong = openBucket(elapsed);

  return {
    async accessOf(request) {
      const session = await sessionOf(request);
      if (session === undefined) return "none";
      if (request.method === "GET") return session.access;
      const given = request.headers[CSRF_HEADER];
      return isOurs(request) && typeof given === "string" && isSameSecret(given, session.csrf) ? session.access : "foreign";
    },
    addRoutes(app) {
      app.post(API.signIn, async (request): Promise<SignInAnswer> => {
        const { view } = SignInBody.parse(request.body ?? {});
        const { code, expiresAt } = sessions.link(view === true ? "read" : "full", await token());
        return { path: `/console/#/link/${code}`, mayWrite: view !== true, expiresAt: isoTime(expiresAt) };
      });
      app.post(SESSION_PATH, async (request, reply): Promise<SessionAnswer> => {
        if (!isOurs(request))
          return await reply.code(403).send({ code: "AUTH_DENIED", message: "only the console's own page may ask this" });
        const redeemed = sessions.redeem(SessionBody.parse(request.body).code, await token());
        if (redeemed === undefined) {
          if (!wrong.take()) throw new FirebreakError("RATE_LIMITED", "too many wrong links; ask again in a minute");
          return await reply
            .code(401)
            .send({ code: "AUTH_DENIED", message: "this link was used or is too old: make another with firebreak sign-in" });
        }
        const { id, session } = redeemed;
        setCookie(request, reply, id, Math.floor((session.expiresAt - elapsed()) / 1000));
        return answerOf(session);
      });
      app.get(SESSION_PATH, async (request, reply): Promise<SessionAnswer> => {
        const session = await sessionOf(request);
        return session === undefined
          ? await reply.code(401).send({ code: "AUTH_DENIED", message: "nobody is signed in" })
          : answerOf(session);
      });
      app.delete(SESSION_PATH, async (request, reply) => {
        const id = cookieOf(request.headers, cookie);
        if (id !== undefined) sessions.end(id);
        setCookie(request, reply, "", 0);
        return await reply.send({ message: "signed out" });
      });
    },
  };
}

function openBucket(elapsed: () => number): { take(): boolean } {
  let since = 0;
  let taken = 0;
  return {
    take() {
      if (elapsed() - since > MINUTE_MS) [since, taken] = [elapsed(), 0];
      taken += 1;
      return taken <= MOST_WRONG;
    },
  };
}
