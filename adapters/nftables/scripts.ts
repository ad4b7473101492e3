/**
 * What is run on a host, as POSIX shell. Fixed texts: values travel as positional arguments or on standard input, never inside.
 *
 * Files live in a folder of mode 0700 that `SNAPSHOT` makes and `DISARM` or the timer removes:
 * ```
 *   restore.nft       puts back what was there, if the fence still holds our generation
 *   armed             there while the timer may still fire; taken away by whoever is first, the timer or us
 *   pid               of the timer, which leads its own session
 *   loading           there while and after the transaction is given to the kernel; without it the timer only cleans up
 *   loaded            there when the kernel has taken it
 *   transaction.json
 * ```
 */
const PRELUDE = `set -u
umask 077
export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}
`;

/** Exit statuses of our own. */
export const STATUS = { notListed: 70, notRestorable: 71, truncated: 72, refused: 73, fired: 74 } as const;

/**
 * $1: the generation that the transaction leaves. Prints the folder.
 *
 * A folder of an hour ago without a timer is what a killed process left: it is removed. The restore is itself a compare-and-swap on
 * that generation: it can put back our predecessor, never undo somebody's later change.
 */
export const SNAPSHOT = `${PRELUDE}
tmp=\${TMPDIR:-/tmp}
find "$tmp" -maxdepth 1 -type d -name 'firebreak.*' -user "$(id -u)" -mmin +60 2>/dev/null | while IFS= read -r old; do
  [ -e "$old/armed" ] || rm -rf "$old"
done
dir=$(mktemp -d "$tmp/firebreak.XXXXXXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
if as_root nft -s list table inet firebreak >"$dir/table" 2>"$dir/error"; then
  { echo 'delete table inet firebreak'; cat "$dir/table"; } >"$dir/check"
  as_root nft -c -f - <"$dir/check" >&2 || exit ${STATUS.notRestorable}
elif grep -q 'No such file or directory' "$dir/error"; then
  : >"$dir/table"
else
  cat "$dir/error" >&2
  exit ${STATUS.notListed}
fi
{ echo "delete element inet firebreak fence { $1 }"; echo 'delete table inet firebreak'; cat "$dir/table"; } >"$dir/restore.nft"
rm -f "$dir/table" "$dir/error" "$dir/check"
trap - EXIT
echo "$dir"
`;

const TIMER = `${PRELUDE}
echo $$ >"$1/pid.new" && mv "$1/pid.new" "$1/pid"
sleep "$2"
mv "$1/armed" "$1/fired" 2>/dev/null || exit 0
if [ -e "$1/loading" ]; then
  tries=0
  until [ -e "$1/loaded" ] || [ ! -e "$1/loading" ] || [ "$tries" -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  as_root nft -f - <"$1/restore.nft"
fi
rm -rf "$1"
`;

/** $1: folder, $2: seconds, $3: the timer's text. The timer is a session of its own, so it outlives ours. */
export const ARM = `${PRELUDE}
: >"$1/armed" || exit 1
setsid sh -c "$3" firebreak-timer "$1" "$2" </dev/null >/dev/null 2>&1 &
tries=0
until [ -s "$1/pid" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || exit 1
  sleep 0.05
done
`;

/** Passed to {@link ARM} as an argument, so that it needs no quoting. */
export const TIMER_TEXT = TIMER;

/**
 * $1: folder, $2: bytes expected on standard input: a connection that dies half way loads nothing.
 *
 * `loading` is written before `armed` is looked at, and the timer does the opposite: so a timer that fires now is either seen here, or
 * waits for the end of this load and then restores. No load can slip in behind a timer.
 */
export const LOAD = `${PRELUDE}
[ -d "$1" ] || exit ${STATUS.fired}
cat >"$1/transaction.json" || exit ${STATUS.fired}
[ "$(wc -c <"$1/transaction.json")" -eq "$2" ] || exit ${STATUS.truncated}
: >"$1/loading" || exit ${STATUS.fired}
[ -e "$1/armed" ] || exit ${STATUS.fired}
if as_root nft -j -f - <"$1/transaction.json" >&2; then
  : >"$1/loaded"
  exit 0
fi
rm -f "$1/loading"
exit ${STATUS.refused}
`;

/** Prints the fence as JSON, or nothing when there is none. */
export const FENCE_READ = `${PRELUDE}
as_root nft -j list set inet firebreak fence 2>"/dev/null" || true
`;

/** $1: folder. Takes the timer's right to fire; fails when it has fired already. */
export const DISARM = `${PRELUDE}
mv "$1/armed" "$1/disarmed" 2>/dev/null || exit ${STATUS.fired}
kill -- "-$(cat "$1/pid")" 2>/dev/null
rm -rf "$1"
`;
