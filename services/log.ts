import { pino, type Logger } from "pino";
import { errorChain, FirebreakError } from "../core/ground/error.ts";

export type { Logger };

/**
 * Structured JSON on standard error: a fixed message, the rest as fields. Levels: error = a person must act; warn = degraded, will
 * retry; info = a state changed; debug = why. Secrets never enter a message; known names are redacted all the same.
 */
export function openLog(level: string, service: string): Logger {
  return pino(
    {
      level,
      base: { service },
      redact: { paths: ["token", "secret", "password", "*.token", "*.secret", "*.password"], censor: "[redacted]" },
      serializers: { error: serializeError },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.destination({ dest: 2, sync: true }),
  );
}

/** The code and the whole chain of causes, outermost first. */
function serializeError(error: unknown): unknown {
  return { code: error instanceof FirebreakError ? error.code : undefined, chain: errorChain(error) };
}
