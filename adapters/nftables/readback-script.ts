/**
 * The read-back: one fixed text, run as it is by an apply key, or installed on the host as the forced command of a read-only key.
 * `readback.sh` beside this file is the same text, to be copied to hosts (a test holds the two together).
 */
export const READBACK_SCRIPT = `#!/bin/sh
# firebreak-readback: prints what this host enforces. Changes nothing, takes no arguments.
# As the forced command of a read-only key it refuses every other command.
# Lines at column 0 are ours; everything read is indented by one space, and ends with " =STATUS".
set -u
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
if [ "\${SSH_ORIGINAL_COMMAND-firebreak-readback}" != firebreak-readback ]; then
  echo "firebreak-readback: this key reads back, and nothing else" >&2
  exit 64
fi
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}
section() {
  printf '@%s\\n' "$1"
  shift
  { "$@"; printf '\\n=%s\\n' "$?"; } | sed 's/^/ /'
}
ruleset() { as_root nft -s -j list ruleset; }
# The JSON of nft 1.0.6 prints garbage for table flags: take them from the text.
flags() { as_root nft -s list table inet firebreak 2>/dev/null | sed -n 2p; }
legacy() {
  for name in ip_tables_names ip6_tables_names; do
    if [ -e "/proc/net/$name" ]; then as_root cat "/proc/net/$name" || return 1; fi
  done
}
addresses() { ip -o addr show; }
resolvers() {
  for file in /etc/resolv.conf /run/systemd/resolve/resolv.conf; do
    if [ -e "$file" ]; then cat "$file" || return 1; fi
  done
}
timeservers() {
  for file in /etc/chrony/chrony.conf /etc/chrony.conf /etc/chrony/sources.d/*.sources /etc/systemd/timesyncd.conf /etc/ntp.conf /etc/ntpsec/ntp.conf; do
    if [ -e "$file" ]; then cat "$file" || return 1; fi
  done
}
machine() { if [ -e /etc/machine-id ]; then cat /etc/machine-id; fi; }
echo '@firebreak-readback 1'
section ruleset ruleset
section flags flags
section legacy legacy
section addresses addresses
section resolvers resolvers
section timeservers timeservers
section machine machine
echo '@end'
`;

/** The one command that a read-back key may ask for. */
export const READBACK_COMMAND = "firebreak-readback";
