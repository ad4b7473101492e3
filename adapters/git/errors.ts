import { Errors } from "isomorphic-git";
import { FirebreakError } from "../../core/ground/error.ts";

/** The error for something that went wrong while talking to the Git server or reading what it sent. */
export function asGitError(doing: string, cause: unknown): FirebreakError {
  if (cause instanceof FirebreakError) return cause;
  if (cause instanceof Errors.HttpError) {
    const status = cause.data.statusCode;
    if (status === 401 || status === 403) {
      return new FirebreakError(
        "AUTH_DENIED",
        `${doing}: the Git server answers ${status}; check the credentials and what they may read`,
        { cause },
      );
    }
    if (status === 404) {
      return new FirebreakError(
        "GIT_UNREACHABLE",
        `${doing}: the Git server answers 404; check the URL and what the credentials may see`,
        { cause },
      );
    }
  }
  // isomorphic-git asks for credentials when it has none to offer after a 401.
  if (cause instanceof Errors.UserCanceledError)
    return new FirebreakError("AUTH_DENIED", `${doing}: the Git server wants credentials`, { cause });
  return new FirebreakError("GIT_UNREACHABLE", doing, { cause });
}

/** True when an object or ref is not in the object store. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Errors.NotFoundError;
}
