import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import type { FastifyInstance } from "fastify";

/** In the package all lies in one folder; in a clone the set-up builds the pages beside their source. */
const FOLDER = fileURLToPath(new URL(extname(import.meta.url) === ".js" ? "./web/" : "../../web/dist/", import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
/** What the built page has where the number of each answer goes. */
const NONCE = "__STYLE_NONCE__";

/** Headers of every page and file of the console. */
const SAFE_HEADERS = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};

/**
 * Nothing from elsewhere, no script in the page, no frame around it. Styles that the components make while they run carry a number that
 * is another one in every answer.
 */
export function policyOf(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

interface Asset {
  readonly bytes: Buffer;
  readonly type: string;
  readonly etag: string;
}

/** Serves the built pages from memory: names that are not among them do not exist, so no path leads anywhere else. */
export async function addPages(app: FastifyInstance, folder: string = FOLDER): Promise<void> {
  const assets = await readAssets(folder);
  const page = assets.get("index.html")?.bytes.toString("utf8");
  // Relative: it may be reached behind a prefix.
  app.get("/console", async (_request, reply) => await reply.code(308).header("location", "console/").send());
  app.get("/console/", async (_request, reply) => {
    const nonce = randomBytes(16).toString("base64");
    void reply.headers({ ...SAFE_HEADERS, "content-security-policy": policyOf(nonce), "cache-control": "no-store" });
    if (page !== undefined) return await reply.type("text/html; charset=utf-8").send(page.replaceAll(NONCE, nonce));
    return await reply
      .code(503)
      .type("text/plain; charset=utf-8")
      .send("The console's pages are not built here: run node scripts/build-web.mjs, and start the service again.\n");
  });
  app.get("/console/:file", async (request, reply) => {
    const { file } = request.params as { readonly file: string };
    const asset = file === "index.html" ? undefined : assets.get(file);
    if (asset === undefined) return await reply.code(404).send({ code: "NOT_FOUND", message: "no such path" });
    void reply.headers({ ...SAFE_HEADERS, etag: asset.etag, "cache-control": "public, max-age=31536000, immutable" });
    if (request.headers["if-none-match"] === asset.etag) return await reply.code(304).send();
    return await reply.type(asset.type).send(asset.bytes);
  });
}

/** Empty where nothing was built. */
async function readAssets(folder: string): Promise<ReadonlyMap<string, Asset>> {
  const names = await readdir(folder).catch(() => []);
  const served = names.filter((name) => TYPES[extname(name)] !== undefined);
  return new Map(
    await Promise.all(
      served.map(async (name): Promise<[string, Asset]> => {
        const bytes = await readFile(`${folder}/${name}`);
        const etag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
        return [name, { bytes, type: TYPES[extname(name)] ?? "", etag }];
      }),
    ),
  );
}
