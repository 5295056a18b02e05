"""Published figures that accuracy.py names beside its own, each with the criterion that it was measured by."""

#: OpenSpliceAI's Arabidopsis model (2,000 nt, seed rs10), measured once on Chr5_25975502_26975502 with the criterion of
#: splice_sites: average precision and best F1.
OPENSPLICEAI = {"acceptor": (0.919, 0.880), "donor": (0.932, 0.895)}

_LENIENT = "introns exact, ends within 100 bp, invalid references removed first"
_THEIRS = f"{_LENIENT}; measured by ANNEVO's makers"
#: What was annotated, F1, program, criterion.
FIGURES = (
    (
        "**Chr5_25975502_26975502**",
        "CDS exon 0.846, locus 0.696, transcript 0.535",
        "AUGUSTUS 3.5",
        "**this one**, without the mask",
    ),
    (
        "**splice sites of Chr5_25975502_26975502**",
        "AP 0.919 (acceptor), 0.932 (donor)",
        "OpenSpliceAI *Arabidopsis*, 2,000 nt, one seed",
        "**this one**",
    ),
    (
        "*A. thaliana*, a training species",
        "CDS exon 0.884, locus 0.734, transcript 0.661",
        "GeneCAD 0.2-0.3",
        "exact CDS chain of any isoform, whole genome",
    ),
    ("*A. thaliana*, held out", "exon 0.919, locus 0.852", "ANNEVO 2.3", _LENIENT),
    ("*A. thaliana*", "exon 0.918, locus 0.842", "Tiberius 2.0.4", _THEIRS),
    ("*A. thaliana*, a training species", "exon 0.888, locus 0.753", "Helixer land_plant 0.3", _THEIRS),
    (
        "*A. thaliana* with RNA-seq and proteins",
        "exon 0.871, locus 0.795",
        "BRAKER4 ETP",
        "introns exact, ends within 3 bp",
    ),
    ("Rice, held out", "exon 0.902, locus 0.797", "ANNEVO 2.3", _LENIENT),
    ("Rice", "exon 0.878, locus 0.729", "Tiberius 2.0.4", _THEIRS),
    ("Rice, a training species", "exon 0.792, locus 0.599", "Helixer land_plant 0.3", _THEIRS),
)

#: What this page said of the weights released before, on sets that are the same still, by set and contigs: F1 of base,
#: CDS exon, locus, locus with ends within 100 bp, transcript.
RELEASED_BEFORE_ON = "page of 2026-11-21"
RELEASED_BEFORE = {
    ("athaliana", "Chr5,Chr5_25975502_26975502"): (0.970, 0.863, 0.746, 0.769, 0.577),
    ("bnapus", "all"): (0.890, 0.772, 0.462, 0.482, 0.462),
    ("osativa", "all"): (0.696, 0.620, 0.259, 0.267, 0.259),
    ("rcommunis", "all"): (0.823, 0.620, 0.286, 0.286, 0.286),
    ("vcarteri", "all"): (0.0, 0.0, 0.0, 0.0, 0.0),
}
