import { describe, expect, test } from "vitest";
import { readManifests } from "../../../core/manifest/read.ts";
import { files } from "./files.ts";

function told(object: object): readonly string[] {
  return readManifests(files({ "a.json": JSON.stringify(object) })).notes.map(({ severity, summary }) => `${severity}: ${summary}`);
}

const CONTAINER = { name: "c", image: "i" };
const deployment = (spec: object, container: object = {}): object => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "shop" },
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ ...CONTAINER, ...container }] } },
    ...spec,
  },
});

// Strict decoding: kubectl asks the API server for it.
describe("a field that Kubernetes does not know", () => {
  test.each<[string, object, RegExp]>([
    [
      "in a pod",
      { apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec: { hostNetwrok: true } },
      /spec\.hostNetwrok is not known/,
    ],
    [
      "in a container",
      deployment({}, { prots: [{ containerPort: 1 }] }),
      /spec\.template\.spec\.containers\[0\]\.prots is not known/,
    ],
    ["of another kind", deployment({ serviceName: "web" }), /spec\.serviceName is not known/],
    ["with another case", deployment({ Replicas: 2 }), /spec\.Replicas is not known/],
    ["in metadata of a template", deployment({ template: { metadata: { lables: {} } } }), /metadata\.lables is not known/],
    [
      "of a Service",
      { apiVersion: "v1", kind: "Service", metadata: { name: "x" }, spec: { selectors: { a: "b" } } },
      /spec\.selectors is not/,
    ],
    [
      "of a Namespace",
      { apiVersion: "v1", kind: "Namespace", metadata: { name: "x" }, labels: { a: "b" } },
      /: labels is not known/,
    ],
  ])("is refused %s (bug: a typing error is read as if the field were absent)", (_where, object, problem) => {
    expect(told(object)).toContainEqual(expect.stringMatching(new RegExp(`^error: .*${problem.source}`)));
  });

  test("is told where an API server took it: it is of a newer Kubernetes (bug: what a cluster exports is refused)", () => {
    const live = { ...deployment({ fromTheFuture: {} }), metadata: { name: "web", namespace: "shop", uid: "1" } };
    expect(told(live)).toContainEqual("warning: Deployment shop/web: spec.fromTheFuture is not known");
  });

  test("is left alone in versions that are not served any more", () => {
    expect(told({ ...deployment({ rollbackTo: {} }), apiVersion: "extensions/v1beta1" })).not.toContainEqual(
      expect.stringMatching(/^error/),
    );
  });
});

describe("a value of another type, also where nothing is read", () => {
  test.each<[object, RegExp]>([
    [deployment({ replicas: "2" }), /spec\.replicas must be a number/],
    [deployment({ replicas: 3_000_000_000 }), /spec\.replicas must be from -2147483648/],
    [deployment({ paused: "no" }), /spec\.paused must be true or false/],
    [deployment({}, { env: [{ name: "A", value: 1 }] }), /env\[0\]\.value must be a text/],
    [deployment({}, { env: { A: "1" } }), /env must be a list/],
    [deployment({}, { resources: { limits: { cpu: "many" } } }), /limits\.cpu must be a quantity/],
    [deployment({}, { readinessProbe: { httpGet: { port: 1.5 } } }), /port must be a number/],
    [{ apiVersion: "v1", kind: "Pod", metadata: { name: "x", creationTimestamp: "now" } }, /creationTimestamp must be a time/],
  ])("is refused: %j", (object, problem) => {
    expect(told(object)).toContainEqual(expect.stringMatching(new RegExp(`^error: .*${problem.source}`)));
  });

  test("and what is right is not", () => {
    const fine = { resources: { limits: { cpu: 1, memory: "1.5Gi" } }, env: [{ name: "A", value: null }], livenessProbe: null };
    expect(told(deployment({ replicas: 1, strategy: {} }, fine))).not.toContainEqual(expect.stringMatching(/^error/));
  });
});
