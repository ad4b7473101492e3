/** A real systemd as process 1, in namespaces and an overlay of its own: what it does with our units. Left out where there is no systemd. */
import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { DROP_IN, INIT_SCRIPT, KEEP, UNIT } from "../../../adapters/nftables/persist-script.ts";
import { bootText } from "../../../core/plan/host-boot.ts";
import { renderRuleset } from "../../../core/render/nft.ts";
import { allow, block, blocks, hostWant, ports } from "../../support/host-wants.ts";
import { hasSystemd, runMachine } from "../../support/systemd-machine.ts";

const NFTABLES = "/lib/systemd/system/nftables.service";
const isThere = hasSystemd && existsSync(NFTABLES);

/** Runs where a network service would: says whether our table is there, and whether somebody flushed theirs. */
const PROBE = `#!/bin/sh
say() { echo "$1: $(nft list table inet firebreak >/dev/null 2>&1 && echo enforced || echo open), theirs $(nft list table inet theirs >/dev/null 2>&1 && echo there || echo gone)" >>"/out/result"; nft add table inet theirs; }
say boot
systemctl reload nftables.service; say reload
systemctl restart nftables.service; say restart
systemctl stop nftables.service; say stop
echo done >>"/out/result"
`;

const PROBE_UNIT = `[Unit]
DefaultDependencies=no
After=network-pre.target nftables.service
[Service]
Type=oneshot
StandardOutput=null
ExecStart=/bin/sh /out/probe
`;

/** Stands in for sysinit.target, which would start this machine's own services. */
const TARGET = `[Unit]
DefaultDependencies=no
Requires=nftables.service network-pre.target probe.service
Wants=firebreak-ruleset.service
`;

// Bug caught: a unit that systemd does not start before the network, or a reload of nftables.service that leaves the host open.
it.skipIf(!isThere)("systemd brings back what was confirmed, before the network and after every flush", async () => {
  const want = hostWant({
    ingress: { mode: "enforce", allows: [allow("web/0", blocks("10.1.0.1/32"), ports("443/tcp"))] },
    lifeline: { from: [block("10.0.0.0/24")], ports: ports("22/tcp") },
  });
  const mark = { instance: "fb-test", sequence: 7, digest: "0123456789abcdef" };
  const inside = await runMachine({
    files: {
      ruleset: bootText(want, renderRuleset(want, mark, { generation: 5, phase: "final" })),
      probe: PROBE,
      "probe.service": PROBE_UNIT,
      "probe.target": TARGET,
    },
    // Our own script keeps the ruleset there.
    prepare: `
chroot . /bin/sh -c "$keep" firebreak "$(wc -c <out/ruleset)" "$unit" "$dropin" "$openrc" <out/ruleset
nft flush ruleset
cp out/probe.service out/probe.target etc/systemd/system/`,
    values: [KEEP, UNIT, DROP_IN, INIT_SCRIPT],
  });
  expect(inside("result")).toBe(
    [
      "boot: enforced, theirs gone",
      "reload: enforced, theirs gone",
      "restart: enforced, theirs gone",
      "stop: enforced, theirs gone",
      "done\n",
    ].join("\n"),
  );
});
