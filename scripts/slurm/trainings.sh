# shellcheck shell=bash
# Read by submit-training.sh and submit-sweep.sh: trainings, one for each line of a table, and their comparison.

data='' out='' evaluation=(--set tuning)

training_option() {
  taken=2
  case $1 in
  --data) data=$(value "$@") ;;
  --out) out=$(value "$@") ;;
  --set | --conditions | --n | --sets) evaluation+=("$1" "$(value "$@")") ;;
  *) common_option "$@" ;;
  esac
}

common_help() {
  cat <<'END'
A task keeps its states in DIR/run-i/states, its model in DIR/run-i/model, and measures it at conditions that no training
sees. The last job writes DIR/comparison.csv, the best training first. Shortly before its time limit a task saves its
state and goes back into the queue. Submitted again, all go on from where they were.

  --set NAME, --conditions K, --n ROWS, --sets M   as evaluate has them (default: the set tuning, else evaluate's)
  --at-once K                                      at most K tasks at a time
  --dry-run                                        print the calls of sbatch instead

Each task takes one core; -- --cpus-per-task=4 gives it four, -- --gres=gpu:1 a GPU.
END
}

# submit_trainings TABLE
submit_trainings() {
  local table count trainings compare
  [ -n "$data" ] || fail "The option --data is missing; see --help."
  [ -n "$out" ] || fail "The option --out is missing; see --help."
  [ -f "$data" ] || fail "There is no file \"$data\"; give a data set as generate writes it."
  data=$(absolute "$data") out=$(absolute "$out")
  check_set_up
  table=$(node --require "$root/scripts/typescript.js" "$root/scripts/slurm/settingsTable.ts" \
    check "$1" "${evaluation[@]}" 2>&1) || fail "${table#Line * of \"/dev/stdin\": }"
  check_cluster
  count=$(($(wc -l <<<"$table") - 1))

  remember "$out" "--data $data ${evaluation[*]}"
  keep_table "$table"
  trainings=$(submit "$out" train "--array=1-$count${at_once:+%$at_once}" \
    "$root/scripts/slurm/train.sh" "$root" "$out" "$data" "${evaluation[@]}")
  compare=$(submit_after "$trainings" "$out" compare "$root/scripts/slurm/compare.sh" "$root" "$out")
  [ -n "$dry_run" ] ||
    printf '%s\n' "Job $trainings trains $count models, job $compare compares them: $out/comparison.csv; logs: $out/logs"
}

# Lines may be added to a table when it is submitted again: what is trained keeps its line.
keep_table() {
  local file=$out/trainings.csv before
  if [ -e "$file" ]; then
    before=$(cat -- "$file")
    [[ $1$'\n' == "$before"$'\n'* ]] ||
      fail "The trainings in \"$out\" are others; give another folder, or the same table with lines added."
  fi
  [ -n "$dry_run" ] || printf '%s\n' "$1" >"$file"
}
