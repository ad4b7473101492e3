import type { ForeignChain } from "./foreign-chain.ts";

/** Programs by what they call their chains, in tables that several share. */
const BY_CHAIN: readonly (readonly [RegExp, string])[] = [
  [/^ufw6?-/, "ufw"],
  [/^f2b-/, "fail2ban"],
  [/^DOCKER(-|$)/, "Docker"],
  [/^KUBE-/, "kube-proxy"],
  [/^cali-/, "Calico"],
  [/^CILIUM_/, "Cilium"],
  [/^ts-/, "Tailscale"],
  [/^LIBVIRT_/, "libvirt"],
  [/^CNI-/, "CNI plugins"],
];

/** Programs by what they call their tables. */
const BY_TABLE: readonly (readonly [RegExp, string])[] = [
  [/^firewalld/, "firewalld"],
  [/^f2b-/, "fail2ban"],
  [/^docker-/, "Docker"],
  [/^kube-proxy$/, "kube-proxy"],
  [/^libvirt/, "libvirt"],
  [/^crowdsec/, "CrowdSec"],
  [/^sshguard$/, "sshguard"],
];

/** Tables that the iptables commands make when they speak nftables. */
const IPTABLES = /^(filter|nat|mangle|raw|security)$/;

/** Which programs write a table, as its names tell; a guess from names that others may use too, for words and nothing else. */
export function writersOf({ family, table, within }: ForeignChain): readonly string[] {
  const chains = within.objects.flatMap(({ kind, body }) => (kind === "chain" ? [String(body["name"])] : []));
  const isIptables = (family === "ip" || family === "ip6") && IPTABLES.test(table) && chains.some((name) => /^[A-Z]+$/.test(name));
  const byTable = BY_TABLE.filter(([pattern]) => pattern.test(table)).map(([, name]) => name);
  const byChain = isIptables
    ? BY_CHAIN.filter(([pattern]) => chains.some((chain) => pattern.test(chain))).map(([, name]) => name)
    : [];
  return [...new Set([...(isIptables ? ["iptables-nft"] : []), ...byTable, ...byChain])];
}
