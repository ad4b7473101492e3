import { KEPT } from "./persist-script.ts";

/**
 * The read-back: one fixed text, run as it is by an apply key, or installed on the host as the forced command of a read-only key.
 * `readback.sh` beside this file is the same text, to be copied to hosts (a test holds the two together).
 */
export const READBACK_SCRIPT = `#!/bin/sh
# firebreak-readback: prints what this host enforces. Changes nothing, takes no arguments.
# As the forced command of a read-only key it refuses every other command.
# Lines at column 0 are ours; everything read is indented by one space, and ends with " =STATUS".
# "apart": the tables one by one, for when nft breaks off in the middle of its JSON (1.0.6 does, at the flags of a table).
set -u
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
case "\${SSH_ORIGINAL_COMMAND-firebreak-readback\${1:+ $1}}" in
  firebreak-readback) mode=whole ;;
  'firebreak-readback apart') mode=apart ;;
  *)
    echo "firebreak-readback: this key reads back, and nothing else" >&2
    exit 64
    ;;
esac
user=$(id -u)
as_root() {
  if [ "$user" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}
# Every program that is started costs the host a millisecond or two, once a second: one sed indents all, and knows our lines by a word that
# was made for this run.
read -r own </proc/sys/kernel/random/uuid || exit 1
section() {
  printf '%s@%s\\n' "$own" "$1"
  shift
  "$@"
  printf '\\n=%s\\n' "$?"
}
ruleset() { as_root nft -s -j list ruleset; }
# The first line of every table, and its flags.
tables() { as_root nft -s list ruleset | sed -n '/^table /{p;n;/^[[:space:]]flags /p;}'; }
ours() { as_root nft -s -j list table inet firebreak; }
lines() { as_root nft -s list table inet firebreak | wc -l; }
fence() { as_root nft -j list set inet firebreak fence; }
about() { as_root nft -j list chain inet firebreak about; }
# As another user than root only our own table can be read apart. Names go into nft's own language, so only plain ones.
others() {
  [ "$user" -eq 0 ] || return 0
  tables | sed -n 's/^table \\([a-z0-9]*\\) \\([A-Za-z0-9_][A-Za-z0-9_.-]*\\) {.*/\\1 \\2/p' | head -n 256 | while read -r family name; do
    [ "$family $name" = 'inet firebreak' ] || section "table $family $name" nft -s -j list table "$family" "$name"
  done
}
# The JSON of nft 1.0.6 prints garbage for table flags: take them from the text.
flags() {
  as_root nft -s list table inet firebreak 2>/dev/null | {
    read -r line
    if IFS= read -r line; then printf '%s\\n' "$line"; fi
  }
}
legacy() {
  for name in ip_tables_names ip6_tables_names; do
    if [ -e "/proc/net/$name" ]; then as_root cat "/proc/net/$name" || return 1; fi
  done
}
addresses() { ip -o addr show; }
# Those of the files that are there.
there() {
  for file; do
    shift
    if [ -e "$file" ]; then set -- "$@" "$file"; fi
  done
  [ "$#" -eq 0 ] || cat "$@"
}
resolvers() {
  there /etc/resolv.conf /run/systemd/resolve/resolv.conf
}
timeservers() {
  there /etc/chrony/chrony.conf /etc/chrony.conf /etc/chrony/sources.d/*.sources /etc/systemd/timesyncd.conf /etc/ntp.conf /etc/ntpsec/ntp.conf
}
# What a dead-man timer of ours waits for: the generation in the fence.
armed() {
  for dir in "\${TMPDIR:-/tmp}"/firebreak.*; do
    if [ -O "$dir" ] && [ ! -L "$dir" ] && { [ -e "$dir/armed" ] || [ -e "$dir/fired" ]; }; then
      sed -n 's/^delete element inet firebreak fence { \\([0-9]*\\) }$/\\1/p' "$dir/restore.nft" 2>/dev/null
    fi
  done
  return 0
}
# What would be loaded at the next start, and by whom.
kept() {
  if [ -d /run/systemd/system ]; then
    echo systemd
    [ ! -L ${KEPT.wants} ] || echo enabled
    sha256sum ${KEPT.unit} ${KEPT.dropIn} 2>/dev/null
  elif [ -d /run/openrc ]; then
    echo openrc
    [ ! -L ${KEPT.runlevel} ] || echo enabled
    sha256sum ${KEPT.initScript} 2>/dev/null
  else
    echo none
  fi
  file=$(as_root sha256sum ${KEPT.ruleset} 2>&1)
  case "$file" in *'No such file'*) echo missing ;; *) echo "$file" ;; esac
}
# What only a node of a Kubernetes cluster has: the kubelet's folder, or its process (in k3s, rke2 and k0s it is theirs).
node() {
  for dir in /var/lib/kubelet /var/lib/rancher /var/lib/k0s /var/snap/microk8s; do
    [ ! -d "$dir" ] || echo "$dir"
  done
  grep -hxE 'kubelet|k3s|k3s-agent|k3s-server|rke2|k0s' /proc/[0-9]*/comm 2>/dev/null | sort -u
  return 0
}
machine() { there /etc/machine-id; }
all() {
  if [ "$mode" = whole ]; then
    section ruleset ruleset
  else
    section tables tables
    section ours ours
    section lines lines
    section fence fence
    section about about
    others
  fi
  section flags flags
  section legacy legacy
  section addresses addresses
  section resolvers resolvers
  section timeservers timeservers
  section armed armed
  section kept kept
  section node node
  section machine machine
}
echo '@firebreak-readback 1'
all | sed "s/^/ /;s/^ $own//"
echo '@end'
`;

/** What a read-back key may ask for; `apart` with the word behind it. */
export const READBACK_COMMAND = "firebreak-readback";
