"""Gene annotation: the gene model, reading and writing GFF3, cleaning and checking."""

from phytoscribe.annotation.model import GeneModel, Interval, Transcript, introns_between, sort_genes

__all__ = ["GeneModel", "Interval", "Transcript", "introns_between", "sort_genes"]
