import { useSyncExternalStore } from "react";

/** The page and what is asked of it: all of it is in the address, after the `#`, so that a link shows the same. */
export interface Route {
  readonly page: string;
  readonly query: URLSearchParams;
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  const [page = "", query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { page, query: new URLSearchParams(query) };
}

/** Changes one thing that is asked; empty text takes it away. */
export function setQuery({ page, query }: Route, name: string, value: string): void {
  const next = new URLSearchParams(query);
  if (value === "") next.delete(name);
  else next.set(name, value);
  const text = next.size === 0 ? "" : `?${next.toString()}`;
  window.history.replaceState(null, "", `#/${page}${text}`);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}
