#!/usr/bin/env bash
#SBATCH --requeue --open-mode=append --cpus-per-task=1
# Compares the models of all trainings. Arguments: project, folder.
exec node --require "$1/scripts/typescript.js" "$1/scripts/slurm/comparison.ts" "$2"
