"""What accuracy.py measures: one set predicted by both programs and scored by every criterion."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from accuracy_sets import ScoredSet, Species, read_species, scored_contigs
from augustus_cache import AugustusCache
from gene_scores import (
    GeneError,
    cds_tracks,
    loci_within,
    score_genes,
    score_predictors,
    without_unscored_loci,
    wrong_genes,
)
from site_posteriors import ranked_sites
from validate_prediction import faults_in

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.settings import Decoders
from phytoscribe.devices import choose_device
from phytoscribe.evaluation.accuracy.calibration import (
    binned,
    chance_error,
    equal_width_bins,
    expected_calibration_error,
)
from phytoscribe.evaluation.accuracy.counts import Scored, scorable
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.evaluation.accuracy.splice_sites import annotated_sites, score_sites
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.intervals import IntervalIndex
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.run import merge_shards, predict_shard
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.tables import COLUMNS as SCORE_COLUMNS

OURS = "phytoscribe"
ALL = "all"
COLUMNS = ("set", "contigs", *SCORE_COLUMNS)
TOLERANCES = (0, 3, 100)
#: Only predictions that share CDS bases with a reference locus count: for annotations that lack genes.
ON_LABELLED = "on_labelled_loci"


def right_loci(predicted: Sequence[GeneModel], reference: Sequence[GeneModel]) -> npt.NDArray[np.bool_]:
    """Whether each predicted gene has a CDS chain of the reference: level ``locus`` of the exact criterion."""
    comparison = Scored.of_scorable(reference, predicted).comparison
    return comparison.right_predicted(comparison.everything)


def equal_mass_bins(probabilities: npt.ArrayLike, right: npt.ArrayLike, bins: int = 10) -> pd.DataFrame:
    """As ``equal_width_bins``, in bins of about equally many items; equal probabilities stay together."""
    values = np.asarray(probabilities, dtype=float)
    if not values.size:
        return binned(values, right, np.array([0.0, 1.0]))
    edges = np.unique(np.quantile(values, np.linspace(0.0, 1.0, bins + 1)))
    return binned(values, right, edges if edges.size > 1 else np.array([edges[0], edges[0]]))


BINS = {"equal_width": equal_width_bins, "equal_mass": equal_mass_bins}
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Model:
    """A model folder and how it is run.

    Attributes:
        settings: the configuration's section ``predict``.
    """

    folder: Path
    settings: Mapping[str, Any]

    def predict(
        self, entry: ScoredSet, fasta: Path, contigs: Sequence[str], folder: Path
    ) -> tuple[PredictionFiles, float]:
        """From FASTA to GFF3 on one thread, as the rules do it; the files and the CPU seconds that it took."""
        names = ("gff3", "gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
        files = PredictionFiles(*(folder / f"{entry.name}.{name}" for name in names))
        shard, before = folder / f"{entry.name}.jsonl", _cpu_seconds()
        predict_shard(fasta, self.folder, self.settings, entry.name, entry.lineage, contigs, 0, shard, threads=1)
        merge_shards([str(shard)], fasta, entry.name, contigs, files)
        return files, _cpu_seconds() - before

    def predictor(self, entry: ScoredSet) -> StructurePredictor:
        """For what the files do not hold: probabilities base by base."""
        named = ("window", "margin", "batch_size", "precision")
        windows = PredictionSettings(*(self.settings[name] for name in named))
        device = choose_device(self.settings["device"])
        return StructurePredictor.from_folder(self.folder, windows, device, entry.name, entry.lineage)


@dataclass(frozen=True)
class Measured:
    """One set, predicted.

    Attributes:
        predictions: all genes by predictor.
        reference: scored loci, without what the mask touches.
        counted: the genes of each predictor that count for or against it.
        wrong: lost loci and wrong predictions of each predictor.
        transcripts: how many PhytoScribe wrote.
        faults: what must not be in its GFF3, counted.
    """

    entry: ScoredSet
    part: str
    species: Species
    contigs: list[str]
    scope: Scope
    predictions: dict[str, list[GeneModel]]
    reference: list[GeneModel]
    counted: dict[str, list[GeneModel]]
    wrong: dict[str, tuple[list[GeneError], list[GeneError]]]
    transcripts: int
    faults: dict[str, int]

    def outcomes(self) -> tuple[np.ndarray, np.ndarray]:
        """Probability of each counted gene of PhytoScribe, float (n,), and whether its locus is right, bool (n,)."""
        probabilities = np.array([gene.score for gene in self.counted[OURS]], dtype=float)
        return probabilities, right_loci(self.counted[OURS], self.reference)


def measure(
    entry: ScoredSet,
    part: str,
    model: Model,
    data: Path,
    cache: Path,
    augustus: AugustusCache,
    without_homologue: Collection[str],
    folder: Path,
) -> Measured:
    """Predict one set with both programs; PhytoScribe's files go to ``folder``."""
    species = read_species(data, entry.name, cache)
    contigs = scored_contigs(entry.name, list(species.contigs), part)
    scope = species.scope(contigs, without_homologue)
    files, _ = model.predict(entry, species.fasta, contigs, folder)
    predictions = {OURS: read_gff3(files.gff3, species.contigs)}
    with Genome(species.fasta) as genome:
        for name in entry.augustus:
            predictions[f"augustus {name}"] = augustus.predict_genes(genome, contigs, name)[0]
    reference = scorable(scope.reference, scope.mask, contigs)
    counted = {
        predictor: without_unscored_loci(scorable(genes, scope.mask, contigs), reference, scope.ignored)
        for predictor, genes in predictions.items()
    }
    wrong = {
        predictor: wrong_genes(reference, genes, scope.ignored, species.transposons)
        for predictor, genes in counted.items()
    }
    minimum_intron = Decoders.load(model.folder / "decoder.json").of(entry.lineage).minimum_intron
    transcripts, faults = faults_in(str(files.gff3), str(species.fasta), minimum_intron)
    return Measured(entry, part, species, contigs, scope, predictions, reference, counted, wrong, transcripts, faults)


def rows_of(done: Measured) -> list[Row]:
    """Every figure of a set but splice sites and speed, as rows of :data:`COLUMNS`."""
    name, rows = done.entry.name, []
    groups = {ALL: done.contigs} | ({c: [c] for c in done.contigs} if done.entry.shown_alone else {})
    for group, contigs in groups.items():
        free = next(iter(done.scope.subsets.values()))
        scores = score_predictors(done.predictions, done.species.scope(contigs, free))
        rows += [(name, group, *row) for row in scores.itertuples(index=False)]
    for predictor, genes in done.counted.items():
        found = _tolerant_rows(done.reference, genes) + _error_rows(done, predictor)
        if done.entry.unlabelled:
            found += _labelled_rows(done.reference, genes)
        rows += [(name, ALL, predictor, *row) for row in found]
    rows += [(name, ALL, OURS, *row) for row in _calibration_rows(done)]
    rows += [
        (name, ALL, OURS, "transcript", "validity", ALL, check, float(count), done.transcripts)
        for check, count in sorted(done.faults.items())
    ]
    return rows


def _tolerant_rows(reference: Sequence[GeneModel], genes: Sequence[GeneModel]) -> list[Row]:
    rows: list[Row] = []
    for tolerance in TOLERANCES:
        rows += loci_within(reference, genes, tolerance).rows("locus", f"ends_{tolerance}", ALL)
    return rows


def _labelled_rows(reference: Sequence[GeneModel], genes: Sequence[GeneModel]) -> list[Row]:
    loci = IntervalIndex(cds_tracks(reference))
    meeting = [
        gene
        for gene in genes
        if any(loci.overlaps((gene.contig, gene.strand), *cds) for t in gene.coding_transcripts for cds in t.cds)
    ]
    scores = score_genes(reference, meeting)
    return list(scores.assign(subset=ON_LABELLED).itertuples(index=False, name=None))


def _error_rows(done: Measured, predictor: str) -> list[Row]:
    """Counts by class; ``subset`` is the side: lost reference loci, or wrong predictions."""
    rows = []
    totals = (len(done.reference), len(done.counted[predictor]))
    for side, errors, total in zip(("reference", "predicted"), done.wrong[predictor], totals, strict=True):
        counts = Counter(str(error.error) for error in errors)
        rows += [("locus", "error_class", side, error, float(count), total) for error, count in sorted(counts.items())]
    return rows


def _calibration_rows(done: Measured) -> list[Row]:
    probabilities, right = done.outcomes()
    rows: list[Row] = []
    for name, bins in BINS.items():
        table = bins(probabilities, right)
        error = expected_calibration_error(table)
        chance = chance_error(probabilities, bins)
        rows.append(("gene_probability", f"calibration_{name}", ALL, "expected_error", error, right.size))
        rows.append(("gene_probability", f"calibration_{name}", ALL, "expected_error_by_chance", chance, right.size))
        for line in table.itertuples():
            place = (f"calibration_{name}", f"{line.low:.3f}-{line.high:.3f}")
            rows.append(("gene_probability", *place, "mean_probability", line.mean_probability, line.n))
            rows.append(("gene_probability", *place, "share_right", line.share_right, line.n))
    return rows


def site_rows(done: Measured, model: Model, contig: str) -> list[Row]:
    """Splice sites of one whole contig, by the predictor's scores of sites."""
    with Genome(done.species.fasta) as genome:
        bases = genome.bases(contig)
    scores = ranked_sites(model.predictor(done.entry), bases)
    found = score_sites(scores, annotated_sites(done.species.genes, contig, bases.size))
    rows = []
    for site, figures in found.items():
        metrics = ("average_precision", "best_f1", "threshold", "precision", "recall")
        place = (done.entry.name, contig, OURS, site, "site_ranking", ALL)
        rows += [(*place, metric, getattr(figures, metric), figures.sites) for metric in metrics]
    return rows


def speed_rows(
    done: Measured, model: Model, contig: str, augustus: AugustusCache, anew: bool, folder: Path
) -> list[Row]:
    """CPU seconds of both programs on one contig, one thread, from FASTA to the written genes.

    The sets before it have loaded and compiled everything; the model is loaded again. ``anew`` repeats AUGUSTUS's run.
    """
    scratch = folder / "speed"
    scratch.mkdir(exist_ok=True)
    wall = time.monotonic()
    _, ours = model.predict(done.entry, done.species.fasta, [contig], scratch)
    wall = time.monotonic() - wall
    name = done.entry.augustus[0]
    with Genome(done.species.fasta) as genome:
        bases = genome.bases(contig)
    _, run = augustus.run(contig, bases, name, anew)
    seconds = {OURS: (ours, wall), f"augustus {name}": (run.cpu_seconds, run.wall_seconds)}
    rows = []
    for predictor, (cpu, by_clock) in seconds.items():
        values = {"cpu_seconds": cpu, "wall_seconds": by_clock, "kb_per_cpu_second": bases.size / 1000 / cpu}
        place = (done.entry.name, contig, predictor, "base", "speed", ALL)
        rows += [(*place, metric, value, bases.size) for metric, value in values.items()]
    return rows


def _cpu_seconds() -> float:
    """User and system time of this process and of its ended children."""
    return sum(os.times()[:4])


def pooled_outcomes(measured: Sequence[Measured]) -> tuple[np.ndarray, np.ndarray]:
    """:meth:`Measured.outcomes` of several sets in one."""
    parts = [done.outcomes() for done in measured]
    return np.concatenate([p for p, _ in parts]), np.concatenate([r for _, r in parts])


def value_of(table: pd.DataFrame, **wanted: str) -> float:
    """The one value of the table whose columns have the given texts; NaN where there is none."""
    chosen = np.logical_and.reduce([table[column] == text for column, text in wanted.items()])
    found = table.loc[chosen, "value"]
    return float(found.iloc[0]) if len(found) else float("nan")
