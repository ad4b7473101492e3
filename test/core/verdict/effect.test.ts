import { describe, expect, test } from "vitest";
import { connectivityDiff } from "../../../core/verdict/effect.ts";
import { formatConnections, formatEffect } from "../../../core/verdict/effect-words.ts";
import type { PolicyObject, World, WorldPod } from "../../../core/verdict/world.ts";

const NAMESPACES = ["shop", "dev"].map((name) => ({ name, labels: { team: name } }));
const PODS: readonly WorldPod[] = [
  ...["order-input", "cust-record", "geo"].flatMap((app, block) =>
    [1, 2, 3].map((index) => ({
      namespace: "shop",
      name: `${app}-5d8f7c9b4-${index}`,
      labels: { app },
      addresses: [`10.244.0.${block * 10 + index}`],
      owner: `ReplicaSet/${app}-5d8f7c9b4`,
      ports: [{ containerPort: 8443 }],
    })),
  ),
  { namespace: "dev", name: "x", labels: { app: "x" }, addresses: ["10.244.1.1"] },
];

function policy(name: string, app: string | undefined, spec: object): PolicyObject {
  const podSelector = app === undefined ? {} : { matchLabels: { app } };
  return { kind: "NetworkPolicy", metadata: { name, namespace: "shop" }, spec: { podSelector, policyTypes: ["Ingress"], ...spec } };
}

function world(...policies: readonly PolicyObject[]): World {
  return { namespaces: NAMESPACES, pods: PODS, policies };
}

const fromOrders = { from: [{ podSelector: { matchLabels: { app: "order-input" } } }], ports: [{ port: 8443 }] };
const closed = policy("cust", "cust-record", { ingress: [fromOrders] });

function lines(before: World, after: World): readonly string[] {
  return formatEffect(connectivityDiff(before, after));
}

/** What the orders had already is not told as new: whoever reads the lines backwards, as closed, must not believe that it ends. */
const OPENED = [
  "opens any but shop/order-input → shop/cust-record: any port (3 workloads)",
  "opens shop/order-input → shop/cust-record: any port but 8443/tcp (3 to 3 workloads)",
];

/** Told beside what closes when the edit is taken back: what one decides by when something is to be closed. */
const KEPT = ["stays open shop/order-input → shop/cust-record: 8443/tcp (3 to 3 workloads)"];

/** Name, both worlds, the lines, and what stays open when it is read backwards. */
type Edit = [string, World, World, readonly string[], (readonly string[])?];

describe("what an edit did, in words", () => {
  test.each<Edit>([
    [
      "a default-deny opened with ingress: [{}]",
      world(closed),
      world(policy("cust", "cust-record", { ingress: [{}] })),
      OPENED,
      KEPT,
    ],
    ["the only policy deleted", world(closed), world(), OPENED, KEPT],
    [
      "one more port",
      world(closed),
      world(policy("cust", "cust-record", { ingress: [{ ...fromOrders, ports: [{ port: 8443 }, { port: 9000 }] }] })),
      ["opens shop/order-input → shop/cust-record: 9000/tcp (3 to 3 workloads)"],
      KEPT,
    ],
    [
      "a stranger's policy that widens",
      world(closed),
      world(closed, policy("x", "cust-record", { ingress: [{ from: [{ ipBlock: { cidr: "10.9.0.0/24" } }] }] })),
      ["opens 10.9.0.0/24 → shop/cust-record: any port (3 workloads)"],
    ],
    [
      "everything closed outwards",
      world(closed),
      world(closed, policy("out", undefined, { policyTypes: ["Egress"] })),
      [
        "closes every pod of shop → any but shop/cust-record: any port (9 workloads)",
        "closes shop/order-input → shop/cust-record: 8443/tcp (3 to 3 workloads)",
      ],
    ],
    [
      "only text changed",
      world(closed),
      world({ ...closed, metadata: { ...closed.metadata, name: "other" } }),
      ["opens nothing, closes nothing"],
    ],
    [
      "a second policy that allows what is allowed",
      world(closed),
      world(closed, policy("again", "cust-record", { ingress: [fromOrders] })),
      ["opens nothing, closes nothing"],
    ],
  ])("%s", (_, before, after, expected, stays) => {
    expect(lines(before, after)).toEqual(expected);
    const back = expected.map((line) =>
      line.startsWith("opens nothing")
        ? line
        : line.startsWith("opens")
          ? line.replace("opens", "closes")
          : line.replace("closes", "opens"),
    );
    expect(lines(after, before)).toEqual([...back, ...(stays ?? [])]);
  });

  test("counts pairs of workloads and gives a witness on a declared port", () => {
    const effect = connectivityDiff(world(closed), world());
    // seven pods of others, two of its own, and everybody outside, to each of three
    expect([effect.openedCount, effect.closedCount]).toEqual([3 * (7 + 2 + 1), 0]);
    expect(effect.opened.map(({ fromWorkloads, toWorkloads }) => [fromWorkloads, toWorkloads])).toEqual([
      [7, 3],
      [3, 3],
    ]);
    const narrow = connectivityDiff(world(policy("cust", "cust-record", {})), world(closed));
    expect(narrow.opened[0]?.witness).toEqual({
      from: "shop/order-input-5d8f7c9b4-1",
      to: "shop/cust-record-5d8f7c9b4-1",
      port: 8443,
      protocol: "tcp",
    });
  });

  test("a workload that is in one world only has all its connections opened or closed", () => {
    const more: World = {
      ...world(closed),
      pods: [...PODS, { namespace: "dev", name: "y", labels: {}, addresses: ["10.244.1.9"] }],
    };
    const effect = connectivityDiff(world(closed), more);
    expect(effect.kind).toBe("opens");
    expect(effect.closed).toEqual([]);
  });

  test("the last line says how many more there are", () => {
    const effect = connectivityDiff(world(closed), world(policy("cust", "cust-record", { ingress: [{}] })));
    const [connection] = effect.opened;
    const many = Array.from({ length: 25 }, () => connection).filter((item) => item !== undefined);
    expect(formatConnections(many)).toHaveLength(20);
    expect(formatConnections(many).at(-1)).toBe("6 more");
    expect(formatConnections(many.slice(0, 20))).toHaveLength(20);
  });

  test("a big cluster is compared in classes (bug: pods times pods runs into the time-out)", () => {
    const namespaces = Array.from({ length: 50 }, (_, index) => ({ name: `n${index}`, labels: { team: `t${index % 5}` } }));
    const pods = Array.from({ length: 5_000 }, (_, index) => ({
      namespace: `n${index % 50}`,
      name: `p${index}`,
      labels: { app: `a${Math.floor(index / 50) % 6}`, unique: String(index) },
      addresses: [`10.244.${index >> 8}.${index & 255}`],
    }));
    const policies = Array.from({ length: 1_000 }, (_, index) => ({
      metadata: { name: `np${index}`, namespace: `n${index % 50}` },
      spec: {
        podSelector: { matchLabels: { app: `a${index % 6}` } },
        policyTypes: ["Ingress", "Egress"],
        ingress: [
          {
            from: [
              { namespaceSelector: { matchLabels: { team: `t${index % 5}` } } },
              { ipBlock: { cidr: `10.9.${index % 250}.0/24` } },
            ],
            ports: [{ port: 1000 + (index % 30) }],
          },
        ],
        egress: [{ to: [{ namespaceSelector: {} }] }],
      },
    }));
    const before: World = { namespaces, pods, policies };
    const opened = {
      metadata: { name: "np7", namespace: "n7" },
      spec: { podSelector: { matchLabels: { app: "a1" } }, ingress: [{}] },
    };
    const effect = connectivityDiff(before, { ...before, policies: policies.with(7, opened as never) });
    expect(effect.kind).toBe("opens");
    expect(effect.opened[0]?.from).toMatch(/^any but every pod of n12, /);
  });
});
