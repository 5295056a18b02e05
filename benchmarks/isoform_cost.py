"""What ranked isoforms cost, and that they do not depend on how a prediction is divided.

Usage: python benchmarks/isoform_cost.py --data DATA --cache CACHE [--repeats 3] [--contigs NAME ...]

The small validation contigs of *A. thaliana*, 1 Mb, with the released model: processor seconds of one thread from FASTA
to GFF3 with one transcript a gene and with ranked isoforms, in turn, after one of each that compiles; then the same
files from 1 and 7 shards with 1 and 2 threads, compared byte by byte.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import torch
from accuracy_models import ROOT, named_models
from accuracy_sets import HELD_OUT, SETS, VALIDATION, chosen_fasta
from isoform_model import OURS, RANKED

from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.genome.fasta import read_index
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.prediction.run import merge_shards, predict_shard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the shared data")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what is kept between runs")
    parser.add_argument("--repeats", type=int, default=3)
    small = HELD_OUT["athaliana"][VALIDATION]
    parser.add_argument("--contigs", nargs="+", choices=small, default=list(small))
    given = parser.parse_args()
    torch.set_num_threads(1)
    fasta = chosen_fasta(given.data, {"athaliana": given.contigs}, given.cache)
    contigs = list(read_index(f"{fasta}.fai"))
    settings = fill_defaults({"genomes": []}, load_schema(ROOT / "workflow/schemas/config.schema.yaml"))["predict"]
    settings = {**settings, "device": "cpu"}
    (model,) = named_models([], settings)
    seconds: dict[str, list[float]] = {"one transcript": [], RANKED: []}
    with TemporaryDirectory() as scratch:
        for turn in range(given.repeats + 1):
            for name, found in seconds.items():
                isoforms = OURS[RANKED] if name == RANKED else None
                found.append(model.predict(SETS[0], fasta, contigs, Path(scratch) / f"{name}{turn}", isoforms)[1])
        for name, found in seconds.items():
            print(f"{name}: {', '.join(f'{s:.1f}' for s in found[1:])} s, median {median(found[1:]):.1f}")
        one, ranked = (median(found[1:]) for found in seconds.values())
        print(f"ranked / one transcript: {ranked / one:.3f}")
        written = {
            (shards, threads): divided(model.folder, settings, fasta, Path(scratch), shards, threads)
            for shards, threads in ((1, 1), (7, 1), (1, 2), (7, 2))
        }
    for divided_as, files in written.items():
        same = "the same bytes" if files == written[1, 1] else "DIFFERENT"
        print(f"{divided_as[0]} shards, {divided_as[1]} threads: {sum(map(len, files))} bytes in all files, {same}")


def divided(model: Path, settings: dict, fasta: Path, scratch: Path, shards: int, threads: int) -> list[bytes]:
    """Contents of all files of a prediction with ranked isoforms from so many shards."""
    folder = scratch / f"{shards}_{threads}"
    folder.mkdir()
    paths = [folder / f"{shard}.jsonl" for shard in range(shards)]
    for shard, path in enumerate(paths):
        place = (SETS[0].species, SETS[0].lineage, None, shard, path)
        predict_shard(fasta, model, {**settings, "shards": shards}, *place, threads=threads, isoforms=OURS[RANKED])
    names = ("gff3", "gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
    files = PredictionFiles(*(folder / name for name in names))
    merge_shards([str(path) for path in paths], fasta, SETS[0].name, None, files)
    return [(folder / name).read_bytes() for name in names]


if __name__ == "__main__":
    main()
