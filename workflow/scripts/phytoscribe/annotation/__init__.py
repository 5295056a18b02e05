"""Gene annotation: the gene model, GFF3 in and out, cleaning and checking."""

from phytoscribe.annotation.model import GeneModel, Interval, Transcript, introns_between, sort_genes

__all__ = ["GeneModel", "Interval", "Transcript", "introns_between", "sort_genes"]
