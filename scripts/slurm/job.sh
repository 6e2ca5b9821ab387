# shellcheck shell=bash
# Read by the jobs: runs the command line, passes on SIGTERM, and puts a job back into the queue.

# Restarts of a task whose process was killed: by a machine out of memory, say, which may not be so on another.
MOST_RESTARTS=3
# Slurm's SIGTERM shortly before the time limit, where --signal=B:TERM is set, is for this shell alone.
asked_to_end=
trap 'asked_to_end=yes' TERM

# Name of part $2 in folder $1.
part() {
  printf '%s/part-%05d.arrow' "$1" "$2"
}

# Runs a verb of the command line and returns its exit status; SIGTERM is passed on.
run() {
  local child status
  [ -z "$asked_to_end" ] || return 143
  node "$root/scripts/porous-sgm.js" "$@" &
  child=$!
  trap 'asked_to_end=yes; kill -TERM "$child" 2>/dev/null' TERM
  # A signal ends the wait before the process has ended.
  while kill -0 "$child" 2>/dev/null; do wait "$child"; done
  wait "$child"
  status=$?
  trap 'asked_to_end=yes' TERM
  return "$status"
}

# Whether a status is that of a process that a signal has ended, and no fault of its input or its own.
was_killed() {
  [ "$1" -eq 137 ] || [ "$1" -eq 143 ]
}

may_restart() {
  [ "${SLURM_RESTART_COUNT:-0}" -lt "$MOST_RESTARTS" ]
}

# Puts this job back into the queue, which ends this script; says why. A job that is being cancelled or requeued is let be.
again() {
  [ "$(squeue -h -j "$SLURM_JOB_ID" -o %T)" = RUNNING ] || exit 1
  printf '%s\n' "$1: back into the queue."
  scontrol requeue "$SLURM_JOB_ID" && sleep 300
  exit 1
}
