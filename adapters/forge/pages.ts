interface Page<Item> {
  readonly data: readonly Item[];
  readonly headers: { readonly link?: string | undefined; readonly "x-total-count"?: unknown };
}

/** GitHub's most; Gitea calls it `limit` and gives fewer (50 unless its settings say otherwise). */
export const PAGE = { per_page: 100, limit: 100 };
/** More than anything we list should have; a list that is longer is an error, not a shorter list. */
const MAX_PAGES = 100;

/**
 * Items of all pages, as they come.
 *
 * How many there are is told by `Link` (GitHub, most of Gitea) or `X-Total-Count` (the rest of Gitea); without both it is one page:
 * Gitea gives some lists whole, whatever page is asked for.
 */
export async function* pages<Item>(read: (page: number) => Promise<Page<Item>>): AsyncGenerator<Item, void, void> {
  let seen = 0;
  for (let page = 1; page <= MAX_PAGES; page++) {
    const { data, headers } = await read(page);
    yield* data;
    seen += data.length;
    const { link } = headers;
    const total = Number(headers["x-total-count"]);
    const hasMore = typeof link === "string" ? link.includes('rel="next"') : total > seen;
    if (data.length === 0 || !hasMore) return;
  }
  throw new Error(`more than ${MAX_PAGES} pages`);
}

/** The whole list. */
export async function allPages<Item>(read: (page: number) => Promise<Page<Item>>): Promise<readonly Item[]> {
  const items: Item[] = [];
  for await (const item of pages(read)) items.push(item);
  return items;
}
