import fc from "fast-check";
import { expect, test } from "vitest";
import { formatPorts } from "../../../core/address/ports.ts";
import { mergeByBehaviour } from "../../../core/reach/behaviour.ts";
import { PairTable } from "../../../core/reach/pair-table.ts";
import { BOTH_FAMILIES, classify, V4 } from "../../../core/verdict/classes.ts";
import { PROFILES } from "../../../core/verdict/profile.ts";
import { rowsOf } from "../../../core/verdict/rows.ts";
import { tieredWorlds, worlds } from "../verdict/worlds.ts";

test("the matrix says of every pair what the verdict engine says (bug: two subjects share a row that one of them should not)", () => {
  const profiles = fc.constantFrom(PROFILES["kube-network-policies"], PROFILES.cilium, PROFILES["ovn-kubernetes"]);
  fc.assert(
    fc.property(fc.oneof(worlds, tieredWorlds), profiles, fc.constantFrom(BOTH_FAMILIES, V4), (world, profile, families) => {
      const classes = classify([world]);
      const rows = rowsOf(classes, 0, profile);
      const representative = mergeByBehaviour(classes, rows, BOTH_FAMILIES);
      const peers = [...new Set(classes.peers.map((_, peer) => representative.get(peer) ?? peer))];
      const pairs = new PairTable(classes, rows, peers);
      for (const from of classes.peers.keys()) {
        for (const to of classes.peers.keys()) {
          if (classes.peers[from]?.kind === "addresses" && classes.peers[to]?.kind === "addresses") continue;
          const id = pairs.connection(representative.get(from) ?? from, representative.get(to) ?? to, families);
          expect(formatPorts(pairs.ports.ports(id))).toBe(formatPorts(rows.connection(from, to, families)));
        }
      }
    }),
    { numRuns: 200 },
  );
});
