import { useEffect, useState } from "react";
import { API, SESSION_PATH, type ErrorShape, type OverviewAnswer } from "../../core/api/shapes.ts";
import { addressOf, ask, Refused } from "./client.ts";

/** Three beats may be missed before what is shown is called old. */
const SILENT_MS = 7_000;
const AGAIN_MS = 3_000;

export interface Beat {
  /** When the service knew this. */
  readonly at: string;
  readonly looked: OverviewAnswer["looked"];
  readonly versions: { readonly overview: string; readonly causes: string };
}

/** What the page knows of now. `beat` is the last that came; only while `kind` is live is it also how things are. */
export interface Live {
  readonly kind: "waiting" | "live" | "lost" | "trouble" | "out";
  readonly beat?: Beat;
  readonly trouble?: ErrorShape;
}

/** Listens to the service for as long as the page is shown, and again after it was cut off. */
export function useLive(): Live {
  const [live, setLive] = useState<Live>({ kind: "waiting" });
  useEffect(() => listen((next) => setLive((before) => ({ ...before, ...next }))), []);
  return live;
}

function listen(tell: (next: Live) => void): () => void {
  let source: EventSource | undefined;
  let again: number | undefined;
  let silence: number | undefined;
  const heard = (next: Live): void => {
    window.clearTimeout(silence);
    silence = window.setTimeout(() => tell({ kind: "lost" }), SILENT_MS);
    tell(next);
  };
  const over = (): void => {
    source?.close();
    window.clearTimeout(silence);
    window.clearTimeout(again);
  };
  const open = (): void => {
    source = new EventSource(addressOf(API.events));
    // The casts: the service writes these events, as docs/design/console.md says.
    source.addEventListener("beat", ({ data }) => heard({ kind: "live", beat: JSON.parse(data as string) as Beat }));
    source.addEventListener("trouble", ({ data }) => heard({ kind: "trouble", trouble: JSON.parse(data as string) as ErrorShape }));
    source.addEventListener("out", () => {
      over();
      tell({ kind: "out" });
    });
    source.addEventListener("error", () => {
      source?.close();
      tell({ kind: "lost" });
      again = window.setTimeout(() => void reopen(), AGAIN_MS);
    });
  };
  // A stream does not say why it was refused.
  const reopen = async (): Promise<void> => {
    const error: unknown = await ask("GET", SESSION_PATH).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof Refused && error.status === 401) {
      over();
      tell({ kind: "out" });
    } else open();
  };
  open();
  return over;
}
