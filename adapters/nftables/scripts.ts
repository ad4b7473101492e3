/**
 * What is run on a host, as POSIX shell. Fixed texts: values travel as positional arguments or on standard input, never inside.
 *
 * Files live in a folder of mode 0700 that `APPLY` makes and `DISARM` or the timer removes:
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
user=$(id -u)
as_root() {
  if [ "$user" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}
`;

/** Exit statuses of our own. */
export const STATUS = { notListed: 70, notRestorable: 71, truncated: 72, refused: 73, fired: 74 } as const;

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
  # The load that failed has taken its file away: there is nothing to restore.
  if [ -e "$1/loading" ]; then as_root nft -f - <"$1/restore.nft"; fi
fi
rm -rf "$1"
`;

/**
 * One apply, as a conversation: each step is told, and the next one waits for our word. $1: the generation that the transaction leaves,
 * $2: seconds of the timer, $3: the timer's text.
 *
 * ```
 *   → snapshot FOLDER      what is in force is kept, loadable (nft -c)
 *   arm        → armed     the timer runs, in a session of its own: it outlives ours
 *   load BYTES, and BYTES bytes
 *              → loaded    the kernel has taken the transaction; a connection that dies half way loads nothing
 *   disarm     → disarmed  the timer may fire no more
 * ```
 * When nobody talks any more it ends: a timer that is armed goes on, and decides. A folder of an hour ago without a timer is what a killed
 * process left: it is removed. The restore is itself a compare-and-swap on that generation: it can put back our predecessor, never undo
 * somebody's later change.
 *
 * `loading` is written before `armed` is looked at, and the timer does the opposite: so a timer that fires now is either seen here, or
 * waits for the end of this load and then restores. No load can slip in behind a timer.
 */
export const APPLY = `${PRELUDE}
say() { echo "=firebreak $*"; }
disarm() {
  mv "$dir/armed" "$dir/disarmed" 2>/dev/null || return 1
  kill -- "-$(cat "$dir/pid")" 2>/dev/null
  rm -rf "$dir"
}
tmp=\${TMPDIR:-/tmp}
find "$tmp" -maxdepth 1 -type d -name 'firebreak.*' -user "$user" -mmin +60 2>/dev/null | while IFS= read -r old; do
  [ -e "$old/armed" ] || rm -rf "$old"
done
dir=$(mktemp -d "$tmp/firebreak.XXXXXXXXXX") || exit 1
trap 'rm -rf "$dir"' EXIT
if as_root nft -s list table inet firebreak >"$dir/table" 2>"$dir/error" </dev/null; then
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
say snapshot "$dir"

IFS= read -r word && [ "$word" = arm ] || exit 0
: >"$dir/armed" || exit 1
setsid sh -c "$3" "$0-timer" "$dir" "$2" </dev/null >/dev/null 2>&1 &
tries=0
until [ -s "$dir/pid" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 500 ] || exit 1
  sleep 0.01
done
trap - EXIT
say armed

read -r word size && [ "$word" = load ] || exit 0
[ -d "$dir" ] || exit ${STATUS.fired}
head -c "$size" >"$dir/transaction.json" || exit ${STATUS.fired}
[ "$(wc -c <"$dir/transaction.json")" -eq "$size" ] || exit ${STATUS.truncated}
: >"$dir/loading" || exit ${STATUS.fired}
[ -e "$dir/armed" ] || exit ${STATUS.fired}
if as_root nft -j -f - <"$dir/transaction.json" >&2; then
  : >"$dir/loaded"
  say loaded
else
  rm -f "$dir/loading"
  disarm
  exit ${STATUS.refused}
fi

IFS= read -r word && [ "$word" = disarm ] || exit 0
disarm || exit ${STATUS.fired}
say disarmed
`;

/** Passed to {@link APPLY} as an argument, so that it needs no quoting. */
export const TIMER_TEXT = TIMER;

/**
 * Tells the fence, as a conversation: over a new connection that confirms an apply. At our word it goes on with what a read-back tells, so that
 * nobody connects once more for it. $1: the text of the read-back.
 *
 * ```
 *              → fence JSON    nothing behind the word when there is none
 *   read       → the answer of the read-back, to its end
 * ```
 */
export const CONFIRM = `${PRELUDE}
printf '=firebreak fence %s\\n' "$(as_root nft -j list set inet firebreak fence 2>/dev/null)"
IFS= read -r word && [ "$word" = read ] || exit 0
exec sh -c "$1" firebreak-readback </dev/null
`;

/** $1: folder. Takes the timer's right to fire; fails when it has fired already. */
export const DISARM = `${PRELUDE}
mv "$1/armed" "$1/disarmed" 2>/dev/null || exit ${STATUS.fired}
kill -- "-$(cat "$1/pid")" 2>/dev/null
rm -rf "$1"
`;
