"""Names of the files of a training set; imported by rules, so it imports nothing."""

CONTIGS = "contigs.tsv"
GENES = "genes.gff3.gz"
DECODER = "decoder.json"
REGIONS = "regions.tsv"
REGION_BASES = "region_bases.npy"
REGION_GENES = "region_genes.gff3.gz"
REGION_MASKS = "region_masks.bed"
MANIFEST = "manifest.json"
#: Arrays over all bases, described in :mod:`phytoscribe.training.data.training_set`.
ARRAYS = ("bases", "weights", "labels", "sites", "soft_plus", "soft_minus", "targets_plus", "targets_minus")
TRAINING_SET_FILES = (
    CONTIGS,
    *(f"{name}.npy" for name in ARRAYS),
    GENES,
    DECODER,
    REGIONS,
    REGION_BASES,
    REGION_GENES,
    REGION_MASKS,
    MANIFEST,
)
