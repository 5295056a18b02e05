#!/usr/bin/env bash
# Kill fine-tuning midway (SIGKILL to the whole job), run again, and compare with an undisturbed run.
#
# Usage: bash benchmarks/resume.sh   (from the repository, after `make env`; some 15 minutes on 2 cores)
# It works in results-free copies under ${TMPDIR:-/tmp} and prints the validation scores and whether the weights are equal.
set -euo pipefail
here=$(pwd)
export PATH="$here/.venv/bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
settings="$here/benchmarks/resume.yaml"
target=results/models/structure/model.safetensors

git clone -q "$here" "$work/whole"
cd "$work/whole"
snakemake --cores 2 --configfile "$settings" -- "$target" >"$work/whole.log" 2>&1
# The second run starts from the same pretrained model and windows.
cp -a "$work/whole" "$work/killed"
cd "$work/killed"
rm -rf results/models/structure results/models/structure.run
setsid snakemake --cores 2 --configfile "$settings" -- "$target" >"$work/killed.log" 2>&1 &
group=$!
until grep -q "^[0-9]" results/models/structure.run/metrics.tsv 2>/dev/null &&
    [ -e results/models/structure.run/last.ckpt ] &&
    [ "$(awk -F'\t' '$2 == "train_loss" {step = $1} END {print step}' results/models/structure.run/metrics.tsv)" -ge "${KILL_AT:-130}" ]; do
    sleep 0.5
done
kill -9 -- "-$group"
pkill -9 -f "$work/killed/.snakemake/scripts" || true
echo "killed after step $(awk -F'\t' '$2 == "train_loss" {step = $1} END {print step}' results/models/structure.run/metrics.tsv)"
snakemake --unlock --cores 1 --configfile "$settings" >/dev/null 2>&1
snakemake --cores 2 --configfile "$settings" -- "$target" >"$work/again.log" 2>&1
grep -h "resuming from" logs/finetune/structure.log | sed 's/.*resuming/resuming/'
for run in whole killed; do
    echo "$run: $(tail -n 12 "$work/$run/results/models/structure/metrics.tsv" | grep -E 'validation_(base|cds_exon)_f1' | tr '\n' ' ')"
done
cmp "$work/whole/$target" "$work/killed/$target" && echo "weights: identical bytes"
