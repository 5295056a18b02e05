"""What ships of expression: the example's table, from ConSReg's mean counts (MIT), and a head that learned from them.

    python benchmarks/heads_example.py table WORK DATA     # resources/example/athaliana/expression.tsv.gz
    python benchmarks/heads_example.py head FOLDER         # resources/models/brassicales/expression

FOLDER is one of heads_train.py. Its head must have the motifs and the structure model that ship.

WORK is a folder of benchmarks/heads_expression.py (its lengths), DATA the folder of shared data. Counts of a condition
are the means of ConSReg's contrasts of one accession, divided by the exonic length of the gene. They are TPM: genes
whose length is not known here are taken to have the same counts per base as the others.
"""

from __future__ import annotations

import argparse
import gzip
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import pandas as pd
import torch
from heads_train import NAMES

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.models import REGULATORY_FILES
from phytoscribe.models.expression import load_heads, save_heads
from phytoscribe.models.loading import hash_of, model_hash
from phytoscribe.models.regulatory import load_head

RESOURCES = Path(__file__).resolve().parents[1] / "resources"
EXAMPLE, MODEL = RESOURCES / "example" / "athaliana", RESOURCES / "models" / "brassicales"


def ship_head(folder: Path) -> None:
    """Write a trained head beside the structure model."""
    networks, report = load_heads(folder)
    motifs = load_head(MODEL / "regulatory")[0].stem.state_dict()
    # The regulatory head may have lost labels since: its motifs count.  Earlier runs did not note the names.
    if not all(torch.equal(x, network.stem.state_dict()[name]) for network in networks for name, x in motifs.items()):
        sys.exit(f"{folder}: its motifs are not those of the regulatory head that ships")
    if report["structure_model"] != model_hash(MODEL):
        sys.exit(f"{folder}: trained with structure model {report['structure_model']}, not with {model_hash(MODEL)}")
    told = {"motifs": hash_of(MODEL / "regulatory", REGULATORY_FILES), "species": [NAMES[0]], "lineages": [NAMES[1]]}
    kept = {key: value for key, value in report.items() if key not in ("network", "seeds")}
    (MODEL / "expression").mkdir(exist_ok=True)
    save_heads(networks, kept | told, MODEL / "expression")


def make_table(work: Path, data: Path) -> None:
    """Write the levels of the example's genes."""
    genes = pd.read_csv(work / "windows.tsv", sep="\t")["gene"]
    lengths = pd.Series(pd.read_csv(work / "more.tsv", sep="\t")["exonic"].to_numpy(), index=genes)
    lengths = lengths[~lengths.index.duplicated()]
    path = data / "expression/athaliana_consreg_base_mean.tsv.gz"
    counts = pd.read_csv(path, sep="\t", index_col="gene_id")
    conditions = counts.T.groupby([name.split("_")[0] for name in counts.columns]).mean().T
    known = conditions.reindex(lengths.index).dropna()
    rate = known.div(lengths[known.index], axis=0)
    tpm = rate / (rate.sum() * conditions.sum() / known.sum()) * 1e6
    wanted = [gene.id for gene in read_gff3(EXAMPLE / "annotation.gff3.gz") if gene.id in tpm.index]
    text = tpm.loc[wanted].round(2).rename_axis("gene_id").to_csv(sep="\t", lineterminator="\n", float_format="%g")
    with (EXAMPLE / "expression.tsv.gz").open("wb") as handle, gzip.GzipFile("", "wb", 9, handle, 0) as packed:
        packed.write(text.encode())
    print(f"{len(wanted)} genes, {tpm.shape[1]} conditions: {', '.join(tpm.columns)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, names in (("table", ("work", "data")), ("head", ("folder",))):
        one = commands.add_parser(command)
        for name in names:
            one.add_argument(name, type=Path)
    given = parser.parse_args()
    if given.command == "head":
        ship_head(given.folder)
    else:
        make_table(given.work, given.data)


if __name__ == "__main__":
    main()
