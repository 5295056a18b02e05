"""What evidence.py scores: contigs with the network's output, and the figures of what is decoded from it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from accuracy_bootstrap import resampled_f1
from accuracy_models import ROOT, Model
from accuracy_sets import SETS, ScoredSet, Species, read_set

from phytoscribe.annotation.model import GeneModel
from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.decoding.contigs import decode_contig
from phytoscribe.decoding.evidence_weights import EvidenceWeights, calibrate_for
from phytoscribe.decoding.gene_regions import DecodedRegion
from phytoscribe.decoding.intron_evidence import ContigEvidence, ContigJunctions
from phytoscribe.decoding.protein_evidence import ProteinWeights
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.evaluation.accuracy.calibration import chance_error, equal_width_bins, expected_calibration_error
from phytoscribe.evaluation.accuracy.counts import ALL
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.files import atomic_path
from phytoscribe.genome.aligned_proteins import AlignedProtein
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.junctions import Junction
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.weighed_evidence import proteins_by_contig

log = logging.getLogger("evidence")
#: The set with reads.
ENTRY = SETS[0]
DNA = "DNA alone"
#: Figures of a row, behind its name.
COLUMNS = ("locus P", "locus R", "locus F1", "exon P", "exon R", "exon F1", "ECE", "ECE by chance")
Junctions = Mapping[Junction, int]
Tables = Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Setting:
    """What is scored, and what the network says of it.

    Attributes:
        tables: bases and log probabilities of both strands by contig.
    """

    entry: ScoredSet
    species: Species
    scope: Scope
    tables: Tables
    decoder: DecoderSettings

    def regions(self) -> Iterator[tuple[str, DecodedRegion]]:
        """Each contig with its reference genes."""
        for contig, (bases, plus, minus) in self.tables.items():
            genes = [gene for gene in self.scope.reference if gene.contig == contig]
            hidden = [(gene.start, gene.end) for gene in self.scope.ignored if gene.contig == contig]
            mask = [*self.species.mask.get(contig, ()), *hidden]
            yield contig, DecodedRegion(bases, plus, minus, genes, mask, self.entry.species, self.entry.lineage)


class Weights(NamedTuple):
    reads: EvidenceWeights
    proteins: ProteinWeights


def setting_of(data: Path, entry: ScoredSet, part: str, folder: Path, cache: Path) -> Setting:
    """The contigs of a part, with the network's output, which is kept in ``cache``."""
    species = read_set(data, entry, entry.scored_part(part), cache)
    predictor, tables = network_of(folder, entry), {}
    with Genome(species.fasta) as genome:
        for contig in species.contigs:
            bases, kept = genome.bases(contig), cache / f"{model_hash(folder)}.{contig}.npz"
            if not kept.is_file():
                plus, minus = predictor.log_probabilities(bases)
                with atomic_path(kept) as temporary, temporary.open("wb") as handle:
                    np.savez(handle, plus=plus, minus=minus)
            with np.load(kept) as stored:
                tables[contig] = bases, stored["plus"], stored["minus"]
    decoder = Decoders.load(folder / "decoder.json").of(entry.lineage, entry.species)
    return Setting(entry, species, species.scope(list(species.contigs), None), tables, decoder)


def network_of(folder: Path, entry: ScoredSet) -> StructurePredictor:
    settings = fill_defaults({"genomes": []}, load_schema(ROOT / "workflow/schemas/config.schema.yaml"))["predict"]
    return Model("", folder, settings).predictor(entry)


def on_contig(junctions: Junctions, contig: str) -> Iterator[tuple[str, tuple[int, int], int]]:
    return ((strand, intron, reads) for (name, strand, intron), reads in junctions.items() if name == contig)


def row_of(
    name: str,
    junctions: Junctions,
    setting: Setting,
    weights: Weights,
    proteins: Sequence[AlignedProtein] = (),
    interval: bool = False,
) -> list[str]:
    """Exact figures (:data:`COLUMNS`) of what is decoded with some junctions and proteins, behind the row's name; last,
    if wanted, where 95 % of locus F1 lie with other loci (accuracy_bootstrap.py).
    """
    average = float(np.mean([reads for reads in junctions.values() if reads] or [1.0]))
    aligned = dict(proteins_by_contig(proteins))
    used = [each for each, there in zip(weights, (junctions, proteins), strict=True) if there]
    chosen = calibrate_for(used, setting.decoder)
    genes: list[GeneModel] = []
    for contig, (bases, plus, minus) in setting.tables.items():
        found = ContigJunctions(on_contig(junctions, contig), average)
        evidence = ContigEvidence.of(found, weights.reads, aligned.get(contig), weights.proteins)
        genes += decode_contig(contig, bases, plus, minus, chosen, evidence=evidence)
    scored = setting.scope.scored(genes)
    choice = scored.choices({})[ALL]
    locus, exon = (scored.comparison.agreement(level, choice) for level in ("locus", "cds_exon"))
    right = np.asarray(scored.comparison.right_predicted(choice))
    scores = [gene.score for gene in scored.predicted]
    error = expected_calibration_error(equal_width_bins(scores, right))
    chance = chance_error(scores, equal_width_bins)
    figures = (locus.precision, locus.recall, locus.f1, exon.precision, exon.recall, exon.f1, error, chance)
    log.info("%s, %s: %s", setting.entry.name, name, figures)
    row = [name, *(f"{value:.3f}" for value in figures)]
    if interval:
        drawn = resampled_f1(scored.reference, {name: scored.predicted})[name, "locus"]
        row.append(" to ".join(f"{value:.3f}" for value in np.nanquantile(drawn, (0.025, 0.975))))
    return row
