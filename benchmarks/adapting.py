"""Before and after an adaptation of the released model to a species, from a configuration alone.

    python benchmarks/adapting.py DATA castor --mode decoder
    python benchmarks/adapting.py DATA rice --mode self --set steps=60 self.minimum_genes=50

DATA is the folder of shared data (a folder per species with `genome.fa.gz`, `annotation.gff3.gz` and, for some,
`mask.bed`).  The script writes a configuration, runs the workflow on one core, and prints a row: exact F1 of CDS exons
and of loci before and after, or the message of the refusal.

With `decoder`, `frozen`, `lora` and `full` the genes are divided by homology, and those of part `test`, 40 %, are
scored; precision is that near loci (docs/scores.md).  With `self` no annotation goes into the run, and all genes are
scored.  `--set` changes keys of the section `finetune`; `--contigs` takes some contigs of the genome alone, and
`--scored` scores some of these alone: the released weights know the others.  `--seed` draws another split.
"""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from phytoscribe.annotation.checking.tables import read_transcripts  # noqa: E402
from phytoscribe.annotation.gff_reader import read_gff3  # noqa: E402
from phytoscribe.evaluation.accuracy.gene_tables import Scope, evaluate_predictors  # noqa: E402
from phytoscribe.files import open_text  # noqa: E402
from phytoscribe.genome.fasta import read_index  # noqa: E402
from phytoscribe.genome.intervals import read_bed  # noqa: E402
from phytoscribe.splits.table import SPLIT_COLUMNS, read_table  # noqa: E402

RELEASED = "resources/models/brassicales"
FOLDERS = {"castor": "rcommunis", "rice": "osativa_more", "poplar": "ptrichocarpa_chr01"}
LINEAGES = {"castor": "Malpighiales", "rice": "Poales", "poplar": "Malpighiales"}
#: Percent of the genes in each part: the decoder is fitted on those that validate.
FRACTIONS = {
    "decoder": {"train": 10, "validate": 50, "test": 40},
    "self": {"train": 80, "validate": 20, "test": 0},
}
NETWORK_FRACTIONS = {"train": 40, "validate": 20, "test": 40}
#: Small batches, for one core.
FINETUNE = {"from_model": RELEASED, "batch_size": 2, "checkpoint_every": 20, "steps": 60, "learning_rate": 0.0001}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("species", choices=FOLDERS)
    parser.add_argument("--mode", choices=["decoder", "frozen", "lora", "full", "self"], required=True)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="keys of `finetune`")
    parser.add_argument("--contigs", nargs="*", default=[], help="only these; all if not given")
    parser.add_argument("--scored", nargs="*", default=[], help="contigs that are scored; all if not given")
    parser.add_argument("--seed", type=int, default=1, help="of the split and the training")
    parser.add_argument("--folder", type=Path, help="where the workflow runs; a temporary folder if not given")
    given = parser.parse_args()
    finetune: dict[str, Any] = {**FINETUNE, "mode": given.mode}
    for item in given.set:
        key, _, value = item.partition("=")
        section, _, name = key.rpartition(".")
        (finetune.setdefault(section, {}) if section else finetune)[name] = yaml.safe_load(value)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (given.folder or Path(temporary)).resolve()
        data = given.data.resolve() / FOLDERS[given.species]
        if given.contigs:
            data = taken_out(data, given.contigs, folder / "data")
        print(row_of(given.species, data, finetune, folder, given.scored, given.seed), flush=True)


def taken_out(data: Path, contigs: list[str], folder: Path) -> Path:
    """Some contigs of a species' files, in a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("genome.fa.gz", "annotation.gff3.gz", "mask.bed"):
        if not (data / name).is_file():
            continue
        kept = []
        with open_text(data / name) as lines:
            for line in lines:
                if line.startswith(">"):
                    inside = line[1:].split()[0] in contigs
                elif not name.startswith("genome"):
                    inside = line.split("\t", 1)[0] in contigs or line.startswith("##gff-version")
                if inside:
                    kept.append(line)
        text = "".join(kept).encode()
        (folder / name).write_bytes(gzip.compress(text, mtime=0) if name.endswith(".gz") else text)
    return folder


def row_of(species: str, data: Path, finetune: dict[str, Any], folder: Path, scored: list[str], seed: int) -> str:
    """Adapt the model to a species and score it before and after."""
    mode = finetune["mode"]
    entry: dict[str, Any] = {"name": species, "lineage": LINEAGES[species]}
    entry["genome"] = {"path": str(data / "genome.fa.gz")}
    known = {"annotation": {"path": str(data / "annotation.gff3.gz")}}
    if (data / "mask.bed").is_file():
        known["mask"] = {"path": str(data / "mask.bed")}
    before, after = folder / "before", folder / "after"
    model = str(ROOT / finetune["from_model"])
    config = {"seed": seed, "clean": {"backend": "builtin"}, "predict": {"model": model, "tracks": False}}
    first, clean = f"results/predictions/{species}.gff3", f"results/clean/{species}.accepted.gff3"
    # Self-training makes the first prediction itself.
    snakemake(
        before,
        {**config, "genomes": [entry | known | {"role": "predict"}]},
        [clean, *([] if mode == "self" else [first])],
    )
    config["predict"] = {**config["predict"], "model": "trained"}
    config |= {
        "finetune": finetune | {"from_model": model},
        "split": {"fractions": FRACTIONS.get(mode, NETWORK_FRACTIONS)},
    }
    entry = entry | {"role": "train"} | ({} if mode == "self" else known | {"utrs": "incomplete"})
    refused = snakemake(after, {**config, "genomes": [entry]}, [first])
    predictions = {"before": after / f"results/self/{species}.gff3" if mode == "self" else before / first}
    if not refused:
        predictions["after"] = after / first
    splits = None if mode == "self" else after / "results/splits/splits.tsv"
    mask = data / "mask.bed" if "mask" in known else None
    f1, loci = exact_f1(species, before, predictions, splits, mask, scored)
    shown = " | ".join(f"{f1['before', level]:.3f} | {f1.get(('after', level), '')}" for level in ("cds_exon", "locus"))
    return f"| {species} | {mode} | {seed} | {loci} | {shown} | {refused or 'kept'} |"


def snakemake(folder: Path, config: dict[str, Any], targets: list[str]) -> str:
    """Run the workflow in a folder; the message if fine-tuning refuses its model, else nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    command = ["snakemake", *targets, "--snakefile", str(ROOT / "Snakefile"), "--cores", "1"]
    command += ["--configfile", "config.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if not done.returncode:
        return ""
    log = folder / "logs/finetune/structure.log"
    said = [line for line in log.read_text().splitlines() if "Nothing is written" in line] if log.is_file() else []
    if not said:
        raise SystemExit(f"{' '.join(command)} failed in {folder}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return said[-1]


def exact_f1(
    species: str, before: Path, predictions: dict[str, Path], splits: Path | None, mask: Path | None, scored: list[str]
) -> tuple[dict[tuple[str, str], float], int]:
    """Exact F1 by prediction and level, of the genes of part test, or of all without a split; and their loci."""
    lengths = read_index(before / f"resources/genomes/{species}/{species}.fa.fai")
    scope = Scope.of(
        annotation=read_gff3(before / f"results/clean/{species}.gff3", lengths),
        rejected=read_transcripts(before / f"results/clean/{species}.rejected.tsv"),
        contigs=scored or list(lengths),
        mask=read_bed(mask, lengths) if mask else None,
        splits=None if splits is None else read_table(splits, SPLIT_COLUMNS),
        part="test",
        flank=500,
    )
    found = {name: read_gff3(path, lengths) for name, path in predictions.items()}
    scores = evaluate_predictors(found, scope).scores
    kept = scores[
        (scores["ruler"] == "exact") & (scores["subset"] == "all") & scores["metric"].isin(["f1", "f1_near_loci"])
    ]
    f1 = {(row.predictor, row.level): round(float(row.value), 3) for row in kept.itertuples()}
    return f1, len(scope.scored([]).reference)


if __name__ == "__main__":
    main()
