"""The regulatory head on whole chromosome 1 of A. thaliana: 387 factors (DAP-seq) and 3 samples of open chromatin.

    python benchmarks/heads.py prepare DATA FOLDER         # DATA: the folder with regulatory/ and athaliana_chr1/
    python benchmarks/heads.py prepare DATA FOLDER --dimers    # 17 bZIP dimers (dDAP-seq) beside them: no release
    python benchmarks/heads.py prepare DATA FOLDER --edges A B END    # other blocks: validation, test, end of the test
    python benchmarks/heads.py trunk FOLDER [--model MODEL]    # features for --encoder frozen, of the released model
                                                       # or of that of heads_pretraining.py
    python benchmarks/heads.py train FOLDER NAME [--encoder none|frozen] [--network head|cnn] [--seed N] \\
        [--set KEY=VALUE ...]                          # a head; the names of CNNs begin with cnn
    python benchmarks/heads.py score FOLDER NAME ...       # scores on the test blocks; prints the rows of the page
    python benchmarks/heads.py compare FOLDER NAME[,NAME ...] NAME[,NAME ...]    # the second beside the first, paired
    python benchmarks/heads.py copies FOLDER NAME ...      # scores without test bins that resemble training sequence
    python benchmarks/heads.py dimers FOLDER NAME OTHER    # the factors' outputs against the dimers of folder OTHER
    python benchmarks/heads.py release FOLDER NAME         # the factors alone, into resources/models

Bins of 200 bases; positive if a summit lies in the bin. Trained on 0-22 Mb, chosen and calibrated on 22-24.5 Mb, tested
on 24.5-30.4 Mb, where every bin counts. benchmarks/heads.md shows the result.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import yaml
from heads_cnn import SETTINGS, DeepSeaCnn
from heads_scores import CONTIG, FILES, TRUNK, Bench

from phytoscribe.genome.fasta import check_fasta, write_index
from phytoscribe.models.regulatory import Calibration, RegulatoryHead, load_head, save_head
from phytoscribe.prediction.trunk_cells import write_trunk_cells
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.regulatory.peaks import read_peaks
from phytoscribe.splits.parts import HIDDEN, TEST, TRAIN, VALIDATE, PartInterval, Parts, write_parts
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.regulatory.task import run_regulatory_training

ROOT = Path(__file__).resolve().parents[1]
RELEASED = ROOT / "resources" / "models" / "brassicales"
#: Where validation and test begin, and where the test ends: with the chromosome.
EDGES = (22_000_000, 24_500_000, 30_427_671)
#: Open chromatin: the best of the many wide intervals of each sample, by score (regulatory/SOURCES.md says why), and
#: the bases in their middle that make the bins which they touch positive.  With these the share of positive bins and
#: the score of a regression are those of the study that named the wanted figure.
BEST, CORE = 6000, 200
SAMPLES = ("seedling", "root", "crude")


def prepare(data: Path, folder: Path, dimers: bool, edges: Sequence[int]) -> None:
    """Sequence, peaks and blocks; with the dimers' peaks if they are wanted."""
    folder.mkdir(parents=True, exist_ok=True)
    fasta = folder / f"{CONTIG}.fa"
    check_fasta(data / "athaliana_chr1" / "genome.fa.gz", fasta)
    contigs = write_index(fasta, Path(f"{fasta}.fai"))
    bed = folder / "peaks.bed"
    with bed.open("w", encoding="utf-8") as out:
        for part in ("Chr1a", "Chr1b"):
            with gzip.open(data / "regulatory" / "athaliana_dap" / f"{part}.bed.gz", "rt") as lines:
                for line in lines:
                    _, summit, factor, *_ = line.rstrip("\n").split("\t")
                    out.write(f"{CONTIG}\t{summit}\t{int(summit) + 1}\t{factor}\n")
        if dimers:
            with gzip.open(data / "regulatory" / "athaliana_ddap_bzip.bed.gz", "rt") as lines:
                for contig, summit, dimer, _ in (line.rstrip("\n").split("\t") for line in lines):
                    if contig == "Chr1":
                        out.write(f"{CONTIG}\t{summit}\t{int(summit) + 1}\t{dimer}\n")
        for sample in SAMPLES:
            with gzip.open(data / "regulatory" / f"athaliana_atac_{sample}.bed.gz", "rt") as lines:
                rows = [line.rstrip("\n").split("\t") for line in lines if line.startswith("Chr1\t")]
            for row in sorted(rows, key=lambda row: -float(row[4]))[:BEST]:
                middle = (int(row[1]) + int(row[2])) // 2
                for end in (middle - CORE // 2, middle + CORE // 2 - 1):
                    if 0 <= end < contigs[CONTIG]:
                        out.write(f"{CONTIG}\t{end}\t{end + 1}\tATAC_{sample}\n")
    read_peaks({"path": str(bed)}, contigs, {}, "athaliana").save(folder / "peaks.npz")
    tiles = zip(pairwise([0, *edges, contigs[CONTIG]]), (TRAIN, VALIDATE, TEST, HIDDEN), strict=True)
    parts = [PartInterval(start, end, part) for (start, end), part in tiles if start < end]
    write_parts(folder / "parts.bed", Parts({CONTIG: parts}))


def read_trunk(folder: Path, model: Path, threads: int) -> None:
    """Features of a structure model."""
    names = ("athaliana", "Brassicales")
    fasta = folder / f"{CONTIG}.fa"
    write_trunk_cells(
        fasta, model, PredictionSettings(), "auto", names, tuple(folder / name for name in TRUNK), threads
    )


def train_head(
    folder: Path, name: str, encoder: str, network: str, seed: int, given: dict[str, str], threads: int
) -> None:
    """Train with the defaults of the schema, but for what is given."""
    schema = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text(encoding="utf-8"))
    keys = {**schema["$defs"]["run"]["properties"], **schema["properties"]["regulatory"]["properties"]}
    settings = {name: key["default"] for name, key in keys.items() if "default" in key}
    kind = {"head": RegulatoryHead, "cnn": DeepSeaCnn}[network]
    settings |= SETTINGS if network == "cnn" else {}
    settings |= {name: yaml.safe_load(value) for name, value in given.items()} | {"encoder": encoder}
    trunk = [tuple(str(folder / name) for name in TRUNK)] if encoder == "frozen" else []
    files = [str(folder / name) for name in FILES]
    recipe = Recipe(settings, {"network": network}, {"devices": 1, "nodes": 1}, seed)
    run_folder, target = folder / f"{name}.run", folder / name
    run_regulatory_training(
        *([file] for file in files), trunk, recipe, files, run_folder, target, threads, kind, ["Brassicales"]
    )


def release(folder: Path, name: str) -> None:
    """Write a head without open chromatin, which has not reached what was wanted, beside the structure model."""
    head, calibration, report = load_head(folder / name)
    kept = [place for place, label in enumerate(head.config.labels) if not label.startswith("ATAC_")]
    factors = RegulatoryHead(replace(head.config, labels=tuple(head.config.labels[place] for place in kept)))
    of_labels = ("motifs.weight", "sites.weight", "around.weight", "surroundings.labels.weight", "bias")
    factors.load_state_dict({key: x[kept] if key in of_labels else x for key, x in head.state_dict().items()})
    calibration = Calibration(*(column[kept] for column in vars(calibration).values()))
    target = RELEASED / "regulatory"
    target.mkdir(exist_ok=True)
    told = {key: value for key, value in report.items() if key not in ("network", "labels")}
    told["validation_auprc"] = round(float(np.nanmean(calibration.auprc)), 6)
    save_head(factors, calibration, told | {"genomes": ["athaliana Chr1"]}, target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("prepare", "trunk", "train", "score", "compare", "copies", "dimers", "release"):
        command = commands.add_parser(name)
        if name == "prepare":
            command.add_argument("data", type=Path)
            command.add_argument("--dimers", action="store_true")
            command.add_argument("--edges", type=int, nargs=3, default=EDGES)
        command.add_argument("folder", type=Path)
        if name == "trunk":
            command.add_argument("--model", type=Path, default=RELEASED)
        if name in ("score", "copies"):
            command.add_argument("names", nargs="+")
        if name == "compare":
            command.add_argument("sides", nargs=2, type=lambda text: text.split(","))
        if name in ("train", "dimers", "release"):
            command.add_argument("name")
        if name == "dimers":
            command.add_argument("other", type=Path)
        if name == "train":
            command.add_argument("--encoder", choices=["none", "frozen"], default="none")
            command.add_argument("--network", choices=["head", "cnn"], default="head")
            command.add_argument("--seed", type=int, default=1)
            command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    given = parser.parse_args()
    if given.command == "train" and (given.network == "cnn") != given.name.startswith("cnn"):
        parser.error(f"{given.name}: the names of CNNs, and of them alone, begin with cnn")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    if given.command == "prepare":
        prepare(given.data, given.folder, given.dimers, given.edges)
    elif given.command == "trunk":
        read_trunk(given.folder, given.model, given.threads)
    elif given.command == "train":
        settings = dict(item.split("=", 1) for item in given.set)
        train_head(given.folder, given.name, given.encoder, given.network, given.seed, settings, given.threads)
    elif given.command == "release":
        release(given.folder, given.name)
    else:
        bench = Bench(given.folder, given.threads)
        if given.command == "score":
            bench.score(given.names)
        elif given.command == "compare":
            bench.compare(*given.sides)
        elif given.command == "copies":
            bench.without_copies(given.names)
        else:
            bench.dimers(given.name, given.other)
    logging.info("%.0f s of processor time", time.process_time())


if __name__ == "__main__":
    main()
