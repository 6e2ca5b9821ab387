#!/usr/bin/env bash
#SBATCH --requeue --open-mode=append --cpus-per-task=1
# Task i of an array: writes part i of a data set, unless it is there. Arguments: project, folder, parts, options of generate.
root=$1 folder=$2 shards=$3
shift 3
. "$root/scripts/slurm/job.sh"

run generate "$@" --shard "$SLURM_ARRAY_TASK_ID/$shards" --resume --workers "${SLURM_CPUS_PER_TASK:-1}" \
  --out "$(part "$folder" "$SLURM_ARRAY_TASK_ID")"
status=$?
was_killed "$status" && may_restart && again "The process was killed"
exit "$status"
