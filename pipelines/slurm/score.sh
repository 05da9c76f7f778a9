#!/bin/bash
# Scores a text file on a Slurm cluster: an array job, whose task i scores the i-th stretch of lines.
#
#   lines=$(awk 'END { print NR }' < messages.txt)     wc -l would leave out a last line without a line feed
#   STRETCH=100000 TEXTS=messages.txt MODEL=model OUT=scored sbatch --array=0-$(((lines - 1) / 100000)) pipelines/slurm/score.sh
#   cat scored/part-*              byte for byte what `score --model model < messages.txt` writes
#
# A task that is started again writes the same part again. TEXTS, MODEL and OUT lie where every node sees them; SCORE names the
# program where it isn't in PATH.
#SBATCH --job-name=score
#SBATCH --cpus-per-task=2
#SBATCH --mem=2G
set -euo pipefail
: "${TEXTS:?the file of texts}" "${MODEL:?the model directory}" "${OUT:?a directory}" "${STRETCH:=100000}"
: "${SLURM_ARRAY_TASK_ID:?this runs as a task of an array job (sbatch --array=0-9)}"
first=$((SLURM_ARRAY_TASK_ID * STRETCH + 1))
part=$OUT/part-$(printf '%05d' "$SLURM_ARRAY_TASK_ID")
mkdir -p "$OUT"
# A name that part-* doesn't mean, whatever ends this task.
partial=$OUT/.$(basename "$part").$$
trap 'rm -f "$partial"' EXIT
trap 'exit 143' TERM
codes=(0 0)
sed -n "${first},$((first + STRETCH - 1))p;$((first + STRETCH))q" < "$TEXTS" \
  | "${SCORE:-score}" --quiet --model "$MODEL" --first-line "$first" ${SLURM_CPUS_PER_TASK:+--threads "$SLURM_CPUS_PER_TASK"} "$@" \
    > "$partial" || codes=("${PIPESTATUS[@]}")
# 65: some lines were bad; each has its error record. A stretch that couldn't be read is no stretch.
if [ "${codes[1]}" != 0 ] && [ "${codes[1]}" != 65 ]; then exit "${codes[1]}"; fi
if [ "${codes[0]}" != 0 ]; then exit "${codes[0]}"; fi
mv "$partial" "$part"
