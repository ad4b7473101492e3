import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readDelivery } from "../../../adapters/forge/webhook.ts";

const SECRET = "it is a secret";
const BODY = Buffer.from(
  JSON.stringify({ ref: "refs/heads/main", before: "0", after: "1", repository: { full_name: "acme/policies" } }),
);
const SIGNATURE = createHmac("sha256", SECRET).update(BODY).digest("hex");
const PUSH = { kind: "push", repository: "acme/policies", branch: "main", before: "0", after: "1" };

describe("a delivery", () => {
  it.each([
    ["GitHub", { "x-hub-signature-256": `sha256=${SIGNATURE}`, "x-github-event": "push", "x-github-delivery": "7" }],
    ["Gitea", { "x-gitea-signature": SIGNATURE, "x-gitea-event": "push", "x-gitea-delivery": "7" }],
  ])("that %s signed is read", async (_, headers) => {
    expect(await readDelivery(headers, BODY, SECRET)).toEqual({ id: "7", event: PUSH });
  });

  it.each<[string, Record<string, string | string[]>, Buffer, string]>([
    ["no signature", {}, BODY, SECRET],
    ["a wrong one", { "x-hub-signature-256": `sha256=${"0".repeat(64)}` }, BODY, SECRET],
    ["one of another length", { "x-hub-signature-256": "sha256=00" }, BODY, SECRET],
    ["one without its algorithm", { "x-hub-signature-256": SIGNATURE }, BODY, SECRET],
    ["SHA-1 only", { "x-hub-signature": `sha1=${createHmac("sha1", SECRET).update(BODY).digest("hex")}` }, BODY, SECRET],
    ["two", { "x-hub-signature-256": [`sha256=${SIGNATURE}`, `sha256=${SIGNATURE}`] }, BODY, SECRET],
    ["another body", { "x-hub-signature-256": `sha256=${SIGNATURE}` }, Buffer.from(`${BODY.toString()} `), SECRET],
    ["an empty body", { "x-hub-signature-256": `sha256=${SIGNATURE}` }, Buffer.alloc(0), SECRET],
    ["no secret of ours", { "x-hub-signature-256": `sha256=${createHmac("sha256", "").update(BODY).digest("hex")}` }, BODY, ""],
  ])("with %s is not read", async (_, headers, body, secret) => {
    expect(await readDelivery({ ...headers, "x-github-event": "push" }, body, secret)).toBeUndefined();
  });

  it("signed, and no JSON, is ignored", async () => {
    const body = Buffer.from("payload=%7B%7D");
    const headers = {
      "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
      "x-github-event": "push",
    };
    expect(await readDelivery(headers, body, SECRET)).toMatchObject({ event: { kind: "ignored" } });
  });
});
