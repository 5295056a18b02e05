"""Training data: the training set and the validation regions.

This module holds the file names of a training set and imports nothing, because rules import it too.
"""

CONTIGS = "contigs.tsv"
GENES = "genes.gff3.gz"
INEXPRESSIBLE = "inexpressible_genes.tsv"
DECODER = "decoder.json"
REGIONS = "regions.tsv"
REGION_BASES = "region_bases.npy"
REGION_GENES = "region_genes.gff3.gz"
REGION_MASKS = "region_masks.bed"
MANIFEST = "manifest.json"
#: Arrays over all bases, described in :mod:`phytoscribe.training.data.training_set`.
ARRAYS = ("bases", "weights", "labels", "sites", "soft_plus", "soft_minus", "targets_plus", "targets_minus")
ARRAY_FILES = (*(f"{name}.npy" for name in ARRAYS), REGION_BASES)
TABLES = (CONTIGS, GENES, INEXPRESSIBLE, DECODER, REGIONS, REGION_GENES, REGION_MASKS)
#: The manifest is written last.
TRAINING_SET_FILES = (*ARRAY_FILES, *TABLES, MANIFEST)
