#!/usr/bin/env bash
# A data set in parts, one task of a Slurm array each, and their merge into one file.
set -euo pipefail
. "$(dirname -- "${BASH_SOURCE[0]}")/submit.sh"

help() {
  cat <<'END'
Usage: submit-data.sh --conditions C --fields F --seed S --shards N --out DIR [options] [-- sbatch's options]

Submits N tasks that write parts of a data set into DIR, and a job that merges them into DIR/data.arrow: byte for byte
the file that one process would write. Submitted again, it goes on from the parts that are there.

  --convention NAME   reading of the equations, figures or text (default: figures)
  --at-once K         at most K tasks at a time
  --dry-run           print the calls of sbatch instead

Each task takes one core; -- --cpus-per-task=4 gives it four.
END
}

conditions='' fields='' seed='' convention=figures shards='' out=''
while (($# > 0)); do
  taken=2
  case $1 in
  --conditions) conditions=$(value "$@") ;;
  --fields) fields=$(value "$@") ;;
  --seed) seed=$(value "$@") ;;
  --convention) convention=$(value "$@") ;;
  --shards) shards=$(value "$@") ;;
  --out) out=$(value "$@") ;;
  *) common_option "$@" ;;
  esac
  shift "$taken"
done
for name in conditions fields seed shards out; do
  [ -n "${!name}" ] || fail "The option --$name is missing; see --help."
done
whole "number of conditions" "$conditions" 1 1000000000
whole "number of fields" "$fields" 1 1000000000
whole "seed" "$seed" 0 9007199254740991
whole "number of shards" "$shards" 1 "$conditions"
case $convention in
figures | text) ;;
*) fail "The convention is \"$convention\"; give one of figures, text." ;;
esac
check_set_up
check_cluster
out=$(absolute "$out")

options=(--conditions "$conditions" --fields "$fields" --seed "$seed" --convention "$convention")
remember "$out" "${options[*]} --shards $shards"
if [ -e "$out/data.arrow" ]; then
  printf '%s\n' "$out/data.arrow is complete; nothing was submitted."
  exit
fi
parts=$(submit "$out" parts "--array=1-$shards${at_once:+%$at_once}" \
  "$root/scripts/slurm/part.sh" "$root" "$out" "$shards" "${options[@]}")
merge=$(submit_after "$parts" "$out" merge "$root/scripts/slurm/merge.sh" "$root" "$out" "$shards")
[ -n "$dry_run" ] ||
  printf '%s\n' "Job $parts writes $shards parts, job $merge merges them into $out/data.arrow; logs: $out/logs"
