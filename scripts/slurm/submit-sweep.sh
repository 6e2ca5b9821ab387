#!/usr/bin/env bash
# Trainings of different settings, one task of a Slurm array each, and their comparison.
set -euo pipefail
here=$(dirname -- "${BASH_SOURCE[0]}")
. "$here/submit.sh"
. "$here/trainings.sh"

help() {
  cat <<'END'
Usage: submit-sweep.sh --data FILE --settings TABLE.csv --out DIR [options] [-- sbatch's options]

Submits a training for each line of a table, and a job that compares the models. The table's first line names options of
train, each other line gives their values; an empty one leaves the default:

  preset,steps,seed
  fast,4000,1
  best,,1

END
  common_help
}

settings=''
while (($# > 0)); do
  case $1 in
  --settings) settings=$(value "$@") taken=2 ;;
  *) training_option "$@" ;;
  esac
  shift "$taken"
done
[ -n "$settings" ] || fail "The option --settings is missing; see --help."
submit_trainings "$settings"
