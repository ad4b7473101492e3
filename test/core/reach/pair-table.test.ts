import fc from "fast-check";
import { expect, test } from "vitest";
import { formatPorts } from "../../../core/address/ports.ts";
import { mergeByBehaviour } from "../../../core/reach/behaviour.ts";
import { PairTable } from "../../../core/reach/pair-table.ts";
import { BOTH_FAMILIES, classify, V4 } from "../../../core/verdict/classes.ts";
import { PROFILES } from "../../../core/verdict/profile.ts";
import { rowsOf } from "../../../core/verdict/rows.ts";
import { tieredWorlds, worlds } from "../verdict/worlds.ts";

// Bug: a pod on the host network joins one that declares the same port, and a rule by the port's name lists it as reachable.
test("a pod on the host network is not taken for one whose named ports count", () => {
  const ports = [{ name: "web", containerPort: 81 }];
  const egress = [{ ports: [{ port: "web" }] }];
  const classes = classify([
    {
      namespaces: ["x", "y"].map((name) => ({ name, labels: { "kubernetes.io/metadata.name": name } })),
      pods: [
        { name: "web", namespace: "y", labels: {}, addresses: ["10.0.0.1"], ports },
        { name: "client", namespace: "x", labels: {}, addresses: ["10.0.0.2"] },
        { name: "host", namespace: "x", labels: {}, addresses: ["10.0.1.1"], hostNetwork: true, ports },
      ],
      nodes: [],
      policies: [{ kind: "NetworkPolicy", metadata: { name: "p", namespace: "x" }, spec: { podSelector: {}, egress } }],
    },
  ]);
  const rows = rowsOf(classes, 0, PROFILES["kube-network-policies"]);
  const representative = mergeByBehaviour(classes, [rows], BOTH_FAMILIES);
  expect(new Set(representative.values()).size).toBe(representative.size);
});

test("the matrix says of every pair what the verdict engine says (bug: two subjects share a row that one of them should not)", () => {
  const profiles = fc.constantFrom(PROFILES["kube-network-policies"], PROFILES.cilium, PROFILES["ovn-kubernetes"]);
  fc.assert(
    fc.property(fc.oneof(worlds, tieredWorlds), profiles, fc.constantFrom(BOTH_FAMILIES, V4), (world, profile, families) => {
      const classes = classify([world]);
      const rows = rowsOf(classes, 0, profile);
      const representative = mergeByBehaviour(classes, [rows], families);
      const peers = [...new Set(classes.peers.map((_, peer) => representative.get(peer) ?? peer))];
      const pairs = new PairTable(classes, rows, peers);
      const isAddress = (peer: number): boolean => classes.peers[peer]?.kind === "addresses";
      const all = [...classes.peers.keys()];
      const lists = [all, all.filter((peer) => !isAddress(peer))];
      const places = lists.map((list) => list.map((peer) => representative.get(peer) ?? peer));
      for (const from of all) {
        const list = isAddress(from) ? 1 : 0;
        const line = new Uint32Array(places[list]?.length ?? 0);
        pairs.addLine(representative.get(from) ?? from, places[list] ?? [], families, line);
        for (const [index, to] of (lists[list] ?? []).entries()) {
          const wanted = formatPorts(rows.connection(from, to, families));
          const id = pairs.connection(representative.get(from) ?? from, representative.get(to) ?? to, families);
          expect(formatPorts(pairs.ports.ports(id))).toBe(wanted);
          expect(formatPorts(pairs.ports.ports(line[index] as number))).toBe(wanted);
        }
      }
    }),
    { numRuns: 200 },
  );
});
