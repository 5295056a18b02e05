"""A database of four genes with two transcripts each, and of the example's Chr2."""

import pytest

from phytoscribe.annotation.gene_database import GeneDatabase, write_gene_database
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, Transcript

GENES = ("AT1G00010", "AT1G00020", "AT1G00030", "AT1G00040")


def made_database(path, genes, contigs) -> GeneDatabase:
    with (path / "g.gff3").open("w") as handle:
        write_gff3(handle, genes, contigs)
    write_gene_database(path / "g.gff3", path / "g.db")
    return GeneDatabase(path / "g.db")


@pytest.fixture(scope="session")
def small_database(tmp_path_factory) -> GeneDatabase:
    """Exonic lengths of 1,000, 2,000, 3,000 and 4,000 bases; the second transcript adds 500 of them."""
    genes = []
    for number, name in enumerate(GENES, start=1):
        start, length = number * 10_000, number * 1000
        first = Transcript(f"{name}.1", ((start, start + length - 500),))
        second = Transcript(f"{name}.2", ((start + 100, start + 200), (start + length, start + length + 500)))
        genes.append(GeneModel(name, "c", "+-"[number % 2], (first, second)))
    return made_database(tmp_path_factory.mktemp("small"), genes, {"c": 60_000})


@pytest.fixture(scope="session")
def chr2(tmp_path_factory, arabidopsis_genes) -> tuple[GeneDatabase, list[GeneModel]]:
    """The genes of the example's Chr2, as a database and as models."""
    genes = [gene for gene in arabidopsis_genes if gene.contig == "Chr2"]
    return made_database(tmp_path_factory.mktemp("chr2"), genes, {"Chr2": 196_982}), genes
