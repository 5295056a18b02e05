"""Train an expression head on one target of heads_expression.py, and predict the test genes of the standing split.

    python benchmarks/heads_train.py RUN DATA WORK FOLDER --target leaf [--model MODEL] [--motifs HEAD]
        [--network head|cnn] [--tissues] [--set KEY=VALUE ...]

FOLDER gets the head and TARGET.tsv, which `heads_expression.py --heads FOLDER` scores; TARGET.validate.tsv has the same
of the validation genes, by which settings are chosen. MODEL is the structure model of a head with `encoder=frozen`,
`--motifs` the folder of a regulatory head. Keys are those of section `expression`. With `--tissues` the head learns the
two tissues of a contrast, and what is predicted is their difference. `--network cnn` trains a network of deepCRE's kind
in the same loop (heads_cnn.py); it takes neither MODEL nor motifs.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import pandas as pd
import yaml
from heads_cnn import EXPRESSION_SETTINGS, DeepCreCnn
from heads_data import GENOMES, load_genes
from heads_expression import targets_of, tissues_of

from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.devices import choose_device
from phytoscribe.expression.examples import GenomeFiles, read_examples
from phytoscribe.expression.levels import GENE
from phytoscribe.expression.window_table import read_gene_windows
from phytoscribe.expression.windows import WindowSettings
from phytoscribe.models.expression import ExpressionHead, load_heads
from phytoscribe.prediction.expression import predict_windows
from phytoscribe.splits.parts import TEST, VALIDATE
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.expression.task import run_expression_training, with_trunk

#: Species and lineage, as the structure model knows them.
NAMES = ("athaliana", "Brassicales")
SCHEMA = Path(__file__).resolve().parents[1] / "workflow/schemas/config.schema.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("run", "data", "work", "folder"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--target", default="leaf")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--motifs", type=Path)
    parser.add_argument("--network", choices=["head", "cnn"], default="head")
    parser.add_argument("--tissues", action="store_true")
    parser.add_argument("--set", nargs="*", default=[])
    given = parser.parse_args()
    kind, sizes = (DeepCreCnn, EXPRESSION_SETTINGS) if given.network == "cnn" else (ExpressionHead, {})
    if given.network == "cnn" and (given.model or given.motifs):
        parser.error("--network cnn reads bases alone; leave --model and --motifs out")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    genes = load_genes(given.run, given.work)
    target = (tissues_of if given.tissues else targets_of)(given.data, genes)[given.target]
    files = []
    for name in GENOMES:
        own = (genes.table["genome"] == name).to_numpy()
        levels = (np.exp2(target[own]) - 1).dropna(how="all").rename_axis(GENE).round(4)
        path = given.work / f"{name}.{given.target}{'.tissues' * given.tissues}.measured.tsv"
        levels.to_csv(path, sep="\t")
        place = (given.work / f"{name}.db", given.work / f"{name}.accepted.gff3")
        files.append(GenomeFiles(name, *place, given.run / f"resources/genomes/{name}/{name}.fa", path, NAMES))
    rules = load_schema(SCHEMA)
    changes = {key: yaml.safe_load(value) for key, _, value in (one.partition("=") for one in given.set)}
    section = fill_defaults(sizes | changes, rules["properties"]["expression"], rules)
    table = read_gene_windows(given.work / "gene_windows.tsv")
    inputs = [given.work / "gene_windows.tsv", *(one.measured for one in files)]
    recipe, run = Recipe(section, {}, {}, 1), given.folder / "run"
    run_expression_training(table, files, given.model, given.motifs, recipe, inputs, run, given.folder, 1, kind)
    networks, _ = load_heads(given.folder, kind)
    settings = WindowSettings(section["input"], section["upstream"], section["downstream"])
    for part, ending in ((VALIDATE, ".validate"), (TEST, "")):
        examples = read_examples(table, files, settings, part)
        if given.model is not None:
            examples = with_trunk(examples, files, given.model, section["device"], 1, run / f"{part}.npy")
        log = predict_windows(networks, examples.bases, examples.trunk, choose_device(section["device"])).log
        columns = {"gene": examples.table["gene"], **dict(zip(examples.tissues, log.T, strict=True))}
        if given.tissues:
            columns = {"gene": examples.table["gene"], given.target: log[:, 0] - log[:, 1]}
        pd.DataFrame(columns).to_csv(given.folder / f"{given.target}{ending}.tsv", sep="\t", index=False)


if __name__ == "__main__":
    main()
