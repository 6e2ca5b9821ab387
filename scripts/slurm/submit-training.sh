#!/usr/bin/env bash
# Trainings that differ in their seed, one task of a Slurm array each, and their comparison.
set -euo pipefail
here=$(dirname -- "${BASH_SOURCE[0]}")
. "$here/submit.sh"
. "$here/trainings.sh"

help() {
  cat <<'END'
Usage: submit-training.sh --data FILE --seeds A-B --out DIR [options] [-- sbatch's options]

Submits a training for each seed, and a job that compares the models.

  --seeds A-B | A                                  first and last seed
  --preset NAME, --steps N, --minutes M,
  --epochs N, --on-divergence WHAT                 as train has them
END
  common_help
}

seeds='' names='' values=''
while (($# > 0)); do
  taken=2
  case $1 in
  --seeds) seeds=$(value "$@") ;;
  --preset | --steps | --minutes | --epochs | --on-divergence)
    names+=,${1#--} values+=,$(value "$@")
    ;;
  *) training_option "$@" ;;
  esac
  shift "$taken"
done
[[ $seeds =~ ^[0-9]{1,15}(-[0-9]{1,15})?$ ]] ||
  fail "The seeds are \"$seeds\"; give the first and the last as --seeds 1-8, or one."
first=$((10#${seeds%-*})) last=$((10#${seeds#*-}))
((first <= last && last - first < 100000)) ||
  fail "The seeds are \"$seeds\"; give the first before the last, at most 100000 of them."
[[ $values =~ ^[A-Za-z0-9.,+-]*$ ]] || fail "The values \"${values#,}\" are not those of train; see --help."

table=$(printf 'seed%s\n' "$names" && seq -f "%.0f$values" "$first" "$last")
submit_trainings /dev/stdin <<<"$table"
