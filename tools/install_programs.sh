#!/usr/bin/env bash
# Find the programs that the workflow calls; install the missing ones from the system's packages where that needs no
# question (root, or sudo without a password). Elsewhere one line says what to install.
# With the argument `slurm` instead: the SLURM that tests/slurm starts; with `next`: the programs that tests give a
# prediction to. Both are for tests alone, so where they cannot be had one line says why, and nothing fails.
set -euo pipefail

install() {
    "${become[@]}" apt-get update -qq &&
        "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if [ "${1:-}" = slurm ]; then
    without() {
        echo "No SLURM for tests/slurm, which will be skipped: $1"
        exit 0
    }
    missing=()
    for program in slurmctld slurmd sbatch munged; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    [ ${#missing[@]} -eq 0 ] && exit 0
    # A cluster's own machine has the commands without the daemons, and stays as it is.
    [ ${#missing[@]} -eq 4 ] || without "this machine has a part of one; missing are ${missing[*]}"
    [ "$(id -u)" -eq 0 ] || without "starting its daemons needs root"
    command -v apt-get >/dev/null || without "there is no apt-get"
    # Under systemd the packages would start SLURM for good; in a container they start nothing (policy-rc.d).
    [ ! -d "${SYSTEMD_FOLDER:-/run/systemd/system}" ] || without "systemd would keep it running; install it yourself"
    become=()
    echo "Installing slurmctld slurmd slurm-client munge (for tests/slurm)"
    install slurmctld slurmd slurm-client munge || without "apt-get could not install it"
    exit 0
fi

if [ "${1:-}" = next ]; then
    missing=()
    for program in gffread bedtools tabix featureCounts STAR snpEff tbl2asn; do
        command -v "$program" >/dev/null || missing+=("$program")
    done
    [ ${#missing[@]} -eq 0 ] && exit 0
    become=()
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "Tests that need ${missing[*]} will be skipped: installing them with apt needs root"
        exit 0
    fi
    echo "Installing ${missing[*]} (for tests of what comes after a prediction)"
    install gffread bedtools tabix subread rna-star snpeff ncbi-tools-bin ||
        echo "Tests that need ${missing[*]} will be skipped: apt-get could not install them"
    exit 0
fi

# program  Debian/Ubuntu package  conda package
programs="\
cd-hit    cd-hit                      cd-hit
blastn    ncbi-blast+                 blast
minimap2  minimap2                    minimap2
gt        genometools                 genometools-genometools
augustus  augustus,augustus-data      augustus
curl      curl                        curl
aragorn   aragorn                     aragorn
cmscan    infernal                    infernal
salmon    salmon                      salmon"

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
install "${apt[@]}" || explain
for program in "${missing[@]}"; do
    command -v "$program" >/dev/null || explain
done
