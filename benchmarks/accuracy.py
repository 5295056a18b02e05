"""The accuracy of models beside AUGUSTUS's, by every criterion, in one command.

Usage: python benchmarks/accuracy.py --data DATA --cache CACHE [--part test] [--model LABEL=FOLDER ...] [--sets ...]

DATA holds one folder per source (accuracy_sets.py names them and writes down the split). Validation contigs are the
default: they are what a change may be judged by, and their page goes to results/. `--part test` scores the test
contigs, and the validation contigs of species that have no test, and writes what is published:
benchmarks/accuracy.md, accuracy.tsv with every figure, accuracy_calibration.png and, with `--atlas 30`,
accuracy_atlas.txt with wrong genes to be looked at. The first model is the newest: it is shown in the figure and atlas.

AUGUSTUS takes a minute for a megabase: its outputs, plain FASTA files and the search for homologues (DIAMOND, with
`--threads`) are kept in CACHE. All else runs on one thread.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import pandas as pd
import torch
from accuracy_atlas import write_atlas
from accuracy_figure import draw_reliability
from accuracy_homologues import loci_without_train_homologue
from accuracy_measure import COLUMNS, measure, rows_of, site_rows, speed_rows
from accuracy_models import ROOT, named_models
from accuracy_page import write_page
from accuracy_sets import LONG_CONTIG, SCORED_IN, SETS, TEST, VALIDATION
from augustus_cache import AugustusCache

from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.files import atomic_open

log = logging.getLogger("accuracy")


def main() -> None:
    given = arguments()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    log.setLevel(logging.INFO)
    torch.set_num_threads(1)
    schema = load_schema(ROOT / "workflow/schemas/config.schema.yaml")
    settings = {**fill_defaults({"genomes": []}, schema)["predict"], "device": given.device}
    models = named_models(given.model, settings)
    augustus = AugustusCache(given.cache)
    free = loci_without_train_homologue(given.data, given.cache, given.threads)
    measured, rows = [], []
    with tempfile.TemporaryDirectory(prefix="phytoscribe-accuracy-") as scratch:
        folder = given.keep or Path(scratch)
        for entry in (entry for entry in SETS if entry.name in given.sets):
            log.info("%s", entry.name)
            done = measure(entry, given.part, models, given.data, given.cache, augustus, free[entry.name], folder)
            measured.append(done)
            rows += rows_of(done)
            if entry.name == "athaliana":
                log.info("splice sites and speed on %s", LONG_CONTIG[given.part])
                rows += site_rows(done, models, LONG_CONTIG[given.part])
                rows += speed_rows(done, models, LONG_CONTIG[given.part], augustus, given.time_augustus, folder)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    given.output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_open(f"{given.output}.tsv") as handle:
        table.to_csv(handle, sep="\t", index=False, float_format="%.6f", lineterminator="\n")
    draw_reliability(measured, Path(f"{given.output}_calibration.png"))
    write_page(given.output, table, measured, models, given.part, augustus.version, given.time_augustus)
    if given.atlas:
        write_atlas(Path(f"{given.output}_atlas.txt"), measured[0], models[0], given.atlas)
    log.info("%s.md", given.output)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="one folder per species in it")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what is kept between runs")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="LABEL=FOLDER",
        help="a model and what to call it; several with several --model, the newest first; by default the released one",
    )
    parser.add_argument("--part", choices=(VALIDATION, TEST), default=VALIDATION)
    parser.add_argument("--sets", nargs="+", choices=[entry.name for entry in SETS], help="only these")
    parser.add_argument("--output", type=Path, help="files to write, without the ending")
    parser.add_argument("--keep", type=Path, help="keep the predicted files there")
    parser.add_argument("--atlas", type=int, default=0, metavar="N", help="describe N wrong genes of the first set")
    parser.add_argument("--time-augustus", action="store_true", help="run AUGUSTUS anew where speeds are compared")
    parser.add_argument("--threads", type=int, default=1, help="of DIAMOND")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or auto; speeds are compared on the CPU only")
    given = parser.parse_args()
    given.sets = [name for name in SCORED_IN[given.part] if not given.sets or name in given.sets]
    if not given.sets:
        parser.error(f"part {given.part} scores {', '.join(SCORED_IN[given.part])} only")
    published = given.part == TEST and given.sets == list(SCORED_IN[TEST])
    given.output = given.output or ROOT / ("benchmarks/accuracy" if published else f"results/accuracy_{given.part}")
    return given


if __name__ == "__main__":
    main()
