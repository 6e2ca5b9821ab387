# shellcheck shell=bash
# Read by the submit scripts: checks of their options, and sbatch or, with --dry-run, the line that would call it.

unset CDPATH # with it cd prints where it goes
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
dry_run=
at_once=
sbatch_options=() # empty arrays are unset ones to bash before 4.4
exec 3>&1 # for lines that are printed while a job's number is captured

fail() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
  exit 2
}

# The value of an option: value OPTION [VALUE]
value() {
  [ -n "${2-}" ] || fail "The option $1 has no value; see --help."
  printf '%s' "$2"
}

# whole NAME VALUE MIN MAX
whole() {
  if ! [[ $2 =~ ^(0|[1-9][0-9]{0,15})$ ]] || (($2 < $3 || $2 > $4)); then
    fail "The $1 is \"$2\"; give a whole number from $3 to $4."
  fi
}

# Options that all submit scripts have; others are refused. Returns how many words it took in $taken.
common_option() {
  taken=2
  case $1 in
  --at-once)
    at_once=$(value "$@")
    whole "number of tasks at once" "$at_once" 1 100000
    ;;
  --dry-run) dry_run=yes taken=1 ;;
  --) take_sbatch_options "${@:2}" && taken=$# ;;
  -h | --help) help && exit 0 ;;
  *) fail "The option \"$1\" is unknown; see --help." ;;
  esac
}

# What stands after -- goes to each sbatch, but for what ties the jobs together.
take_sbatch_options() {
  local option
  for option in "$@"; do
    case $option in
    -a* | -d* | --ar* | --dep* | --wrap* | --test-only)
      fail "The option $option of sbatch has no place here: the script sets the array and its dependents itself."
      ;;
    esac
  done
  sbatch_options=("$@")
}

# A path that does not depend on where a job starts.
absolute() {
  case $1 in
  /*) printf '%s' "$1" ;;
  *) printf '%s/%s' "$PWD" "$1" ;;
  esac
}

# What jobs on this machine or another will need.
check_set_up() {
  [ -d "$root/node_modules" ] || fail "The project in \"$root\" is not set up; run npm run setup there first."
}

# To be asked last: what is wrong with the options is wrong on any machine.
check_cluster() {
  [ -n "$dry_run" ] || command -v sbatch >/dev/null ||
    fail "There is no sbatch here; submit from a machine of the cluster, or look at the jobs with --dry-run."
}

# Keeps in the folder what is computed there: remember FOLDER TEXT. A folder of other settings is refused.
remember() {
  local file=$1/settings.txt before
  if [ -e "$file" ]; then
    before=$(cat -- "$file") || fail "Cannot read \"$file\"; check its permissions."
    [ "$before" = "$2" ] ||
      fail "The folder \"$1\" is one of other settings ($before); give another folder or the same settings."
  fi
  [ -n "$dry_run" ] && return
  mkdir -p -- "$1/logs" 2>/dev/null && (printf '%s\n' "$2" >"$file") 2>/dev/null ||
    fail "Cannot write into the folder \"$1\"; choose one that you may use."
}

# Puts a job into the queue and prints its number: submit FOLDER NAME SBATCH-OPTION... SCRIPT ARGUMENT...
# All of an array's tasks and restarts write to one log each.
submit() {
  local name=$2 log="${1//%/%%}/logs/$2" job
  shift 2
  case $1 in
  --array=*) log+=-%a.txt ;;
  *) log+=.txt ;;
  esac
  set -- --parsable "--job-name=$name" "--output=$log" ${sbatch_options[@]+"${sbatch_options[@]}"} "$@"
  if [ -n "$dry_run" ]; then
    printf 'sbatch%s\n' "$(printf ' %q' "$@")" >&3
    printf 'JOB_OF_%s' "$name"
    return
  fi
  job=$(sbatch "$@") || return
  printf '%s' "${job%%;*}"
}

# submit for a job that waits until the job $1 has succeeded, and is dropped when that cannot happen any more.
submit_after() {
  local first=$1 folder=$2 name=$3
  shift 3
  submit "$folder" "$name" "--dependency=afterok:$first" --kill-on-invalid-dep=yes "$@" && return
  [ -n "$dry_run" ] || scancel "$first"
  fail "The job $name was refused, so job $first before it was cancelled; see the message above."
}
