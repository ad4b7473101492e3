/**
 * The ruleset that a host loads when it starts, before its network is up. Paths and texts are fixed; `keptFiles` says what each file holds.
 *
 * ```
 *   /etc/firebreak/ruleset.json     0600 in a 0700 folder: the confirmed table, as nft -j -f loads it
 *   systemd   firebreak-ruleset.service   before network-pre.target, after nftables.service
 *             nftables.service.d/firebreak.conf   again after each start, reload and stop of nftables.service: they flush everything
 *   OpenRC    /etc/init.d/firebreak-ruleset   in runlevel boot, before net, after nftables
 * ```
 */
export const KEPT = {
  ruleset: "/etc/firebreak/ruleset.json",
  unit: "/etc/systemd/system/firebreak-ruleset.service",
  wants: "/etc/systemd/system/sysinit.target.wants/firebreak-ruleset.service",
  dropIn: "/etc/systemd/system/nftables.service.d/firebreak.conf",
  initScript: "/etc/init.d/firebreak-ruleset",
  runlevel: "/etc/runlevels/boot/firebreak-ruleset",
} as const;

export const UNIT = `# Written by Firebreak: the ruleset that was last confirmed, before the network is up.
[Unit]
Description=Firebreak's confirmed ruleset
DefaultDependencies=no
After=local-fs.target nftables.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target
ConditionPathExists=${KEPT.ruleset}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -j -f ${KEPT.ruleset}
ExecReload=/usr/sbin/nft -j -f ${KEPT.ruleset}

[Install]
WantedBy=sysinit.target
`;

export const DROP_IN = `# Written by Firebreak: nftables.service flushes every table when it starts, reloads and stops.
[Service]
ExecStartPost=-/usr/sbin/nft -j -f ${KEPT.ruleset}
ExecReload=-/usr/sbin/nft -j -f ${KEPT.ruleset}
ExecStopPost=-/usr/sbin/nft -j -f ${KEPT.ruleset}
`;

export const INIT_SCRIPT = `#!/sbin/openrc-run
# Written by Firebreak: the ruleset that was last confirmed, before the network is up.
description="Firebreak's confirmed ruleset"
depend() {
  need localmount
  after nftables
  before net
}
start() {
  [ -e ${KEPT.ruleset} ] || return 0
  ebegin "Loading Firebreak's confirmed ruleset"
  nft -j -f ${KEPT.ruleset}
  eend $?
}
stop() { return 0; }
`;

const PRELUDE = `set -u
umask 077
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}
`;

/** Exit statuses of our own. */
export const KEEP_STATUS = { truncated: 72, refused: 73, notInstalled: 75 } as const;

/**
 * Keeps the ruleset on standard input ($1: its bytes) for the next start. $2 to $4: what the unit, the drop-in and the OpenRC script hold.
 *
 * The kernel checks it first (nft -c), and the file is replaced as a whole. Only root installs units: whoever may write one may do anything,
 * and the apply user shall not. As another user the unit must be there already.
 */
export const KEEP = `${PRELUDE}
if [ -d /run/systemd/system ]; then start=systemd; elif [ -d /run/openrc ]; then start=openrc; else exit 0; fi
new=$(mktemp "\${TMPDIR:-/tmp}/firebreak-keep.XXXXXXXXXX") || exit 1
trap 'rm -f "$new"' EXIT
cat >"$new"
[ "$(wc -c <"$new")" -eq "$1" ] || exit ${KEEP_STATUS.truncated}
as_root nft -j -c -f - <"$new" >&2 || exit ${KEEP_STATUS.refused}
if [ "$(id -u)" -eq 0 ]; then
  put() { [ "$(cat "$2" 2>/dev/null)" = "$(printf '%s' "$1")" ] || { mkdir -p "\${2%/*}" && printf '%s' "$1" >"$2.firebreak" && chmod "$3" "$2.firebreak" && mv -f "$2.firebreak" "$2"; }; }
  umask 022
  if [ "$start" = systemd ]; then
    put "$2" ${KEPT.unit} 0644 && put "$3" ${KEPT.dropIn} 0644 || exit 1
    mkdir -p ${KEPT.wants.slice(0, KEPT.wants.lastIndexOf("/"))} && ln -sf ../firebreak-ruleset.service ${KEPT.wants} || exit 1
    systemctl daemon-reload >&2 || :
  else
    put "$4" ${KEPT.initScript} 0755 && ln -sf ${KEPT.initScript} ${KEPT.runlevel} || exit 1
  fi
  umask 077
elif [ "$start" = systemd ]; then
  [ -e ${KEPT.wants} ] && [ -e ${KEPT.dropIn} ] || exit ${KEEP_STATUS.notInstalled}
else
  [ -e ${KEPT.runlevel} ] || exit ${KEEP_STATUS.notInstalled}
fi
as_root mkdir -p -m 0700 /etc/firebreak || exit 1
as_root tee ${KEPT.ruleset}.new <"$new" >/dev/null || exit 1
as_root chmod 0600 ${KEPT.ruleset}.new || exit 1
as_root sync ${KEPT.ruleset}.new || exit 1
as_root mv -f ${KEPT.ruleset}.new ${KEPT.ruleset}
`;

/** Nothing is loaded at the next start any more. The units stay for a user who is not root: without the ruleset they do nothing. */
export const FORGET = `${PRELUDE}
as_root rm -f ${KEPT.ruleset} || exit 1
[ "$(id -u)" -eq 0 ] || exit 0
rm -f ${KEPT.unit} ${KEPT.wants} ${KEPT.dropIn} ${KEPT.initScript} ${KEPT.runlevel}
[ ! -d /run/systemd/system ] || systemctl daemon-reload >&2 || :
`;

/** What root runs once on a host whose apply user is another one: it installs what loads the ruleset, and keeps nothing yet. */
export function installScript(): string {
  const put = (path: string, text: string, mode: string): string =>
    `mkdir -p ${path.slice(0, path.lastIndexOf("/"))}\ncat >${path} <<'FIREBREAK'\n${text}FIREBREAK\nchmod ${mode} ${path}\n`;
  return `#!/bin/sh
# Installs what loads Firebreak's confirmed ruleset before the network is up. Run it as root on the host.
set -eu
if [ -d /run/systemd/system ]; then
${put(KEPT.unit, UNIT, "0644")}${put(KEPT.dropIn, DROP_IN, "0644")}systemctl daemon-reload
systemctl enable firebreak-ruleset.service
elif [ -d /run/openrc ]; then
${put(KEPT.initScript, INIT_SCRIPT, "0755")}rc-update add firebreak-ruleset boot
else
  echo "neither systemd nor OpenRC runs here" >&2
  exit 1
fi
`;
}

/** What root runs on a host that shall load nothing of ours at its next start any more; what is enforced now stays. */
export function forgetScript(): string {
  return `#!/bin/sh
# Takes away what loads Firebreak's confirmed ruleset when this host starts. What is enforced now stays. Run it as root on the host.
[ "$(id -u)" -eq 0 ] || { echo "run this as root" >&2; exit 1; }
${FORGET}echo "nothing of Firebreak is loaded at the next start of this host any more"
`;
}
