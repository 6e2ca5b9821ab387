#!/usr/bin/env bash
#SBATCH --requeue --open-mode=append --cpus-per-task=1 --signal=B:TERM@60
# Task i of an array: the training in line i of a table, and its evaluation. Arguments: project, folder, data, options of
# evaluate.
root=$1 folder=$2 data=$3
shift 3
. "$root/scripts/slurm/job.sh"
own=$folder/run-$SLURM_ARRAY_TASK_ID
export TF_NUM_INTRAOP_THREADS=${SLURM_CPUS_PER_TASK:-1}

if [ -e "$own/evaluation.json" ]; then
  printf '%s\n' "$own is trained and measured."
  exit
fi
mkdir -p -- "$own/states" || exit

# The lock of a machine that is lost outlives its training. Slurm knows whether the job that trained here still runs.
former=$(cat -- "$own/job" 2>/dev/null)
running=$(squeue --me -h -t RUNNING,COMPLETING,SUSPENDED -o %A) || exit
if [ "${former:-none}" != "$SLURM_JOB_ID" ] && grep -qx "${former:-none}" <<<"$running"; then
  printf '%s\n' "Job $former trains in $own; wait for it or cancel it." >&2
  exit 2
fi
grep -qF "\"host\":\"$(uname -n)\"" "$own/states/lock" 2>/dev/null || rm -f -- "$own/states/lock"
printf '%s\n' "$SLURM_JOB_ID" >"$own/job" || exit

newest() {
  (cd -- "$own/states" && printf '%s\n' step-*.safetensors | tail -n 1)
}

before=$(newest)
status=0
if [ ! -e "$own/trained" ]; then
  options=$(node --require "$root/scripts/typescript.js" "$root/scripts/slurm/settingsTable.ts" \
    options "$folder/trainings.csv" "$SLURM_ARRAY_TASK_ID") || exit
  mapfile -t options <<<"$options"
  run train --data "$data" --out "$own/model" --checkpoint "$own/states" --resume "${options[@]}"
  status=$?
  [ "$status" -eq 0 ] && touch -- "$own/trained"
fi
if [ "$status" -eq 0 ]; then
  from=()
  [ -e "$own/evaluation.json.part" ] && from=(--from "$own/evaluation.json.part")
  run evaluate --model "$own/model" --json "$own/evaluation.json" ${from[@]+"${from[@]}"} "$@"
  status=$?
  [ "$status" -eq 0 ] && exit
fi

if [ -n "$asked_to_end" ] || was_killed "$status"; then
  # A time limit in which no step is taken would repeat for ever.
  { [ "$(newest)" != "$before" ] || may_restart; } && again "The task was ended after $(newest)"
  printf '%s\n' "The task was ended before it got any further; give it more time or memory." >&2
fi
exit "$status"
