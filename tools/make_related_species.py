"""Make evaluation/related_species.tsv of the library: gene shapes of the species that the released model learned from.

Usage: python tools/make_related_species.py OUTPUT --species NAME LINEAGE FOLDER [FOLDER ...] [--species ...]

Each FOLDER holds genome.fa.gz and annotation.gff3.gz; those of one species are taken together. The annotations go
through the functions that the rules clean_annotation (backend builtin) and check_annotation call.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import pandas as pd

from phytoscribe.annotation.checking.check import CheckLimits, check_annotation
from phytoscribe.annotation.cleaning.clean import clean
from phytoscribe.annotation.model import GeneModel
from phytoscribe.evaluation.quality.gene_shapes import measured, shape_table
from phytoscribe.genome import Genome, check_fasta
from phytoscribe.genome.fasta import write_index
from phytoscribe.tables import SHAPES, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--species", nargs="+", action="append", required=True, metavar="NAME LINEAGE FOLDER")
    given = parser.parse_args()
    tables = []
    for name, lineage, *folders in given.species:
        genes = [gene for folder in folders for gene in accepted_genes(Path(folder))]
        tables.append(shape_table(measured(genes), name, lineage))
    write_table(pd.concat(tables, ignore_index=True), given.output, SHAPES, decimals=4)


def accepted_genes(folder: Path) -> list[GeneModel]:
    """Genes of a folder's annotation with the transcripts that the check accepts."""
    with tempfile.TemporaryDirectory(prefix="phytoscribe-shapes-") as scratch:
        plain = Path(scratch) / "genome.fa"
        check_fasta(folder / "genome.fa.gz", plain)
        write_index(plain, f"{plain}.fai")
        with Genome(plain) as genome:
            cleaned = clean(folder / "annotation.gff3.gz", genome.contigs, "builtin")
            return check_annotation(cleaned.genes, genome, CheckLimits())[0]


if __name__ == "__main__":
    main()
