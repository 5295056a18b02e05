#!/usr/bin/env bash
# Find the programs that the workflow calls; install the missing ones from the system's packages where that needs no
# question (root, or sudo without a password). Elsewhere one line says what to install.
set -euo pipefail

# program  Debian/Ubuntu package  conda package
programs="\
cd-hit    cd-hit                      cd-hit
blastn    ncbi-blast+                 blast
minimap2  minimap2                    minimap2
gt        genometools                 genometools-genometools
augustus  augustus,augustus-data      augustus"

missing=() apt=() conda=()
while read -r program debian bioconda; do
    command -v "$program" >/dev/null && continue
    missing+=("$program")
    apt+=(${debian//,/ })
    conda+=("$bioconda")
done <<<"$programs"
[ ${#missing[@]} -eq 0 ] && exit 0

explain() {
    echo "Missing: ${missing[*]}. Install them with: sudo apt-get install ${apt[*]}" \
        "or: conda install -c conda-forge -c bioconda ${conda[*]}" >&2
    exit 1
}

command -v apt-get >/dev/null || explain
if [ "$(id -u)" -eq 0 ]; then
    become=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    become=(sudo -n)
else
    explain
fi
echo "Installing ${apt[*]} (missing: ${missing[*]})"
"${become[@]}" apt-get update -qq || explain
"${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${apt[@]}" >/dev/null || explain
for program in "${missing[@]}"; do
    command -v "$program" >/dev/null || explain
done
