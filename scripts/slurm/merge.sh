#!/usr/bin/env bash
#SBATCH --requeue --open-mode=append --cpus-per-task=1
# Merges the parts of a data set, which go when that is done. Arguments: project, folder, number of parts.
root=$1 folder=$2 shards=$3
. "$root/scripts/slurm/job.sh"

parts=()
for ((i = 1; i <= shards; i++)); do parts+=("$(part "$folder" "$i")"); done
run merge --out "$folder/data.arrow" "${parts[@]}"
status=$?
was_killed "$status" && may_restart && again "The process was killed"
# Tasks that were killed or lost have left unfinished files.
[ "$status" -eq 0 ] && rm -f -- "${parts[@]}" "$folder"/.part-*.tmp "$folder"/.data.arrow.*.tmp
exit "$status"
