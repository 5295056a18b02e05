"""A trunk that learned to fill in hidden bases of promoters, in place of the released structure model, for the heads.

    python benchmarks/heads_pretraining.py TRAINING_SET WORK FOLDER [--steps N] [--set KEY=VALUE ...]

TRAINING_SET is that of config/release.yaml, WORK the folder of heads_data.py. Training reads the stretch from 1,000
bases before to 500 behind the start of transcription of every gene that trains the expression heads; the held-out
cross-entropy is that of validation genes. The trunk has the size and the tokenizer of the released model and starts
from random weights. FOLDER/model serves `heads_train.py --model` and `heads.py trunk --model` as a structure model,
but its heads for genes have learned nothing. `--steps 0` keeps the random weights: a control.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import gzip
import shutil
import tempfile

import pandas as pd
import yaml

from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.models.annotation_model import AnnotationModel, MaskedBaseModel
from phytoscribe.models.loading import load_model, load_pretrained, save_weights, write_checksums
from phytoscribe.splits.parts import TRAIN, VALIDATE
from phytoscribe.tokenizer.segments import Segmenter, copy_tokenizer
from phytoscribe.training import data as files
from phytoscribe.training.data.training_set import CONTIG_COLUMNS, REGION_COLUMNS, TrainingSet
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.masked_tokens.task import run_pretraining, untrained_model
from phytoscribe.training.tasks.masked_tokens.windows import BASES

ROOT = Path(__file__).resolve().parents[1]
RELEASED = ROOT / "resources" / "models" / "brassicales"
UPSTREAM, DOWNSTREAM = 1000, 500
SECTION = {"objective": BASES, "window": UPSTREAM + DOWNSTREAM, "batch_size": 16, "checkpoint_every": 50}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("training_set", "work", "folder"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--set", nargs="*", default=[])
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    given.folder.mkdir(parents=True, exist_ok=True)
    promoters = given.folder / "promoters"
    if not promoters.exists():
        write_promoters(given.training_set, given.work, promoters)
    rules = load_schema(ROOT / "workflow" / "schemas" / "config.schema.yaml")
    changes = {key: yaml.safe_load(value) for key, _, value in (one.partition("=") for one in given.set)}
    section, model = (
        fill_defaults(own, rules["properties"][name], rules)
        for name, own in (("pretrain", {**SECTION, "steps": given.steps, **changes}), ("model", {"size": "small"}))
    )
    recipe = Recipe(section, model, {}, seed=1)
    if given.steps:
        corpus = given.training_set.parent / "tokenizer" / "corpus.txt"
        run, pretrained = given.folder / "run", given.folder / "pretrained"
        run_pretraining(
            promoters, RELEASED, corpus, recipe, [str(promoters / files.CONTIGS)], run, pretrained, threads=1
        )
        trained = load_model(MaskedBaseModel, pretrained)
    else:
        data, segmenter = TrainingSet.load(promoters), Segmenter(RELEASED)
        trained = untrained_model(BASES, data, segmenter, recipe, pd.Series(4 * [0.25]).to_numpy())
    write_model(trained, given.folder / "model")


def write_promoters(whole: Path, work: Path, target: Path) -> None:
    """A training set of the same sequence whose contigs are promoters, and whose regions are those of validation."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        own = Path(folder)
        for name in files.TRAINING_SET_FILES:
            (own / name).symlink_to((whole / name).resolve())
        genes = pd.read_csv(work / "gene_windows.tsv", sep="\t", keep_default_na=False)
        genes = genes[genes["reason"] == ""]
        contigs = pd.read_csv(whole / files.CONTIGS, sep="\t", keep_default_na=False)
        train = _promoters(genes[genes["part"] == TRAIN], contigs)
        _replace(own / files.CONTIGS, train.reindex(columns=CONTIG_COLUMNS))
        regions = pd.read_csv(whole / files.REGIONS, sep="\t", keep_default_na=False)
        places = regions["name"].str.extract(r"^(?P<genome>[^:]+):(?P<contig>[^:]+):(?P<first>\d+)-")
        regions = regions.assign(**places.astype({"first": int}))
        held_out = _promoters(genes[genes["part"] == VALIDATE], regions)
        named = held_out["contig"] + ":" + held_out["offset"].astype(str)
        _replace(own / files.REGIONS, held_out.assign(name=named).reindex(columns=REGION_COLUMNS))
        for name in (files.GENES, files.REGION_GENES, files.REGION_MASKS):
            (own / name).unlink()
            with gzip.open(own / name, "wt") if name.endswith(".gz") else (own / name).open("w"):
                pass
        logging.info("%d promoters of training genes, %d of validation genes", len(train), len(held_out))
        shutil.copytree(own, target, symlinks=True)


def _replace(path: Path, table: pd.DataFrame) -> None:
    path.unlink()
    table.to_csv(path, sep="\t", index=False)


def _promoters(genes: pd.DataFrame, stretches: pd.DataFrame) -> pd.DataFrame:
    """The row of each gene's stretch, with offset and length of the promoter; genes whose promoter leaves it have none.

    Args:
        stretches: columns genome, contig, offset, length, and ``first``, where in the contig it begins, if not 0.
    """
    upstream = genes["strand"] == "+"
    start = (genes["tss"] - UPSTREAM).where(upstream, genes["tss"] + 1 - DOWNSTREAM)
    both = genes[["genome", "contig"]].assign(start=start).merge(stretches, on=["genome", "contig"])
    begin = both["start"] - both.get("first", 0)
    inside = (begin >= 0) & (begin + UPSTREAM + DOWNSTREAM <= both["length"])
    return both.assign(offset=both["offset"] + begin, length=UPSTREAM + DOWNSTREAM)[inside]


def write_model(trained: MaskedBaseModel, target: Path) -> None:
    """The trunk in the form of a structure model, with the tokenizer and the decoder of the released one."""
    model = AnnotationModel(load_model(AnnotationModel, RELEASED).config)
    load_pretrained(model, trained, str(target))
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    save_weights(model, target)
    shutil.copyfile(RELEASED / "decoder.json", target / "decoder.json")
    copy_tokenizer(RELEASED, target)
    write_checksums(target)


if __name__ == "__main__":
    main()
