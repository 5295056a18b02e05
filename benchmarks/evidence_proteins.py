"""Aligned proteins for evidence.py: of a family's member, and of far relatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from evidence_sets import ENTRY, Setting, log

from phytoscribe.decoding.protein_evidence import ContigProteins
from phytoscribe.genome.aligned_proteins import AlignedProtein, read_miniprot
from phytoscribe.models import PROTEIN_EVIDENCE_FILE
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.gathered_proteins import LEAST_QUALITY
from phytoscribe.prediction.weighed_evidence import proteins_by_contig
from phytoscribe.training.tasks.structure.evidence_fit import RegionWithJunctions, fit_protein_evidence

PROTEINS = "proteins"
#: Of the validation contigs of *A. thaliana* the one with 568 of 920 loci: it judges weights and calibrates them, so
#: they are not fitted to it.
NOT_FITTED = "Chr5_16999951_19500000"


def proteins_of(gff3: Path, contigs: dict[str, int]) -> list[AlignedProtein]:
    """The alignments of miniprot's GFF3 that a prediction would use."""
    return [protein for protein in read_miniprot(gff3, contigs) if protein.quality >= LEAST_QUALITY]


def fit_proteins(settings: Mapping[str, Setting], gff3: Mapping[str, Path], folder: Path) -> None:
    """Fit the weights of proteins to contigs of *A. thaliana*, and write them into a model's folder.

    The other sets calibrate them, beside :data:`NOT_FITTED`. (Weights that were fitted to poplar and rice as well were
    no better for either.)
    """
    fitted, held_out = [], []
    for name, path in gff3.items():
        setting = settings[name]
        aligned = dict(proteins_by_contig(proteins_of(path, setting.species.contigs)))
        for contig, region in setting.regions():
            given = RegionWithJunctions(region, aligned.get(contig, ContigProteins(())), setting.decoder)
            (fitted if name == ENTRY.name and contig != NOT_FITTED else held_out).append(given)
    weights, report = fit_protein_evidence(fitted, held_out=held_out)
    weights = replace(weights, calibrated_on=tuple(sorted({x.region.species for x in fitted + held_out})))
    weights.save(folder / PROTEIN_EVIDENCE_FILE, model_hash(folder), report)
    log.info("weights of proteins: %s", weights)
