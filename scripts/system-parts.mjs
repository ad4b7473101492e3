/**
 * The programs of the operating system that the demonstration (`demo`) and the tests (`test`) run for real.
 *
 *   programs  each must be found        files     each must be there, for what is no program
 *   apt       Debian's packages         without   what there is not when the part is missing (follows the word "no")
 */
export const SYSTEM_PARTS = [
  { name: "git", job: "demo", programs: ["git"], apt: ["git"], without: "Git server to push to" },
  { name: "nftables", job: "demo", programs: ["nft"], apt: ["nftables"], without: "enforcement on hosts" },
  { name: "iproute2", job: "demo", programs: ["ip"], apt: ["iproute2"], without: "hosts, pods and packets" },
  {
    name: "iptables",
    job: "demo",
    programs: ["iptables-nft"],
    apt: ["iptables"],
    without: "packets between pods: nothing feeds the enforcer",
  },
  {
    name: "conntrack",
    job: "demo",
    programs: ["conntrack"],
    apt: ["conntrack"],
    without: "proof that established connections survive",
  },
  { name: "openssh-server", job: "demo", programs: ["sshd"], apt: ["openssh-server"], without: "hosts: they are reached over SSH" },
  {
    name: "openssh-client",
    job: "demo",
    programs: ["ssh", "ssh-keygen"],
    apt: ["openssh-client"],
    without: "hosts: they are reached over SSH",
  },
  { name: "openssl", job: "demo", programs: ["openssl"], apt: ["openssl"], without: "certificates for the clusters" },
  { name: "chromium", job: "test", programs: ["chromium"], apt: ["chromium"], without: "browser to walk through the console" },
  { name: "redis", job: "test", programs: ["redis-server"], apt: ["redis-server"], without: "scale-out tests: the queue on Redis" },
  {
    name: "postgresql",
    job: "test",
    programs: ["initdb", "postgres"],
    apt: ["postgresql"],
    without: "scale-out tests: the store on Postgres",
  },
  {
    name: "alertmanager",
    job: "test",
    programs: ["prometheus-alertmanager"],
    apt: ["prometheus-alertmanager"],
    without: "Alertmanager to send alerts to",
  },
  {
    name: "promtool",
    job: "test",
    programs: ["promtool"],
    apt: ["prometheus"],
    without: "check of the alert rules",
  },
  { name: "gcc", job: "demo", programs: ["gcc"], apt: ["gcc"], without: "forge, which is built with cgo" },
  {
    name: "libc6-dev",
    job: "demo",
    files: ["/usr/include/stdio.h"],
    apt: ["libc6-dev"],
    without: "forge, which is built with cgo",
  },
];
