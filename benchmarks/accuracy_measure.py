"""What accuracy.py measures: one set predicted by both programs and scored by every criterion."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from accuracy_bootstrap import LEVELS, resampled_f1
from accuracy_models import AUGUSTUS, Model, speed_of
from accuracy_sets import ScoredSet, Species, read_set
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
from phytoscribe.evaluation.accuracy.calibration import (
    chance_error,
    equal_mass_bins,
    equal_width_bins,
    expected_calibration_error,
)
from phytoscribe.evaluation.accuracy.counts import Scored, scorable
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.evaluation.accuracy.resampling import interval
from phytoscribe.evaluation.accuracy.splice_sites import annotated_sites, score_sites
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.intervals import IntervalIndex
from phytoscribe.tables import COLUMNS as SCORE_COLUMNS

ALL = "all"
COLUMNS = ("set", "contigs", *SCORE_COLUMNS)
TOLERANCES = (0, 3, 100)
#: Only predictions that share CDS bases with a reference locus count: for annotations that lack genes.
ON_LABELLED = "on_labelled_loci"


def right_loci(predicted: Sequence[GeneModel], reference: Sequence[GeneModel]) -> npt.NDArray[np.bool_]:
    """Whether each predicted gene has a CDS chain of the reference: level ``locus`` of the exact criterion."""
    comparison = Scored.of_scorable(reference, predicted).comparison
    return comparison.right_predicted(comparison.everything)


BINS = {"equal_width": equal_width_bins, "equal_mass": equal_mass_bins}
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Measured:
    """One set, predicted.

    Attributes:
        part: the part of the split that its contigs are in.
        models: the predictors that are models, the newest first.
        predictions: all genes by predictor, models first.
        reference: scored loci, without what the mask touches.
        counted: the genes of each predictor that count for or against it.
        wrong: lost loci and wrong predictions of each predictor.
        transcripts: how many each model wrote.
        faults: what must not be in the GFF3 of each model, counted.
    """

    entry: ScoredSet
    part: str
    models: tuple[str, ...]
    species: Species
    scope: Scope
    predictions: dict[str, list[GeneModel]]
    reference: list[GeneModel]
    counted: dict[str, list[GeneModel]]
    wrong: dict[str, tuple[list[GeneError], list[GeneError]]]
    transcripts: dict[str, int]
    faults: dict[str, dict[str, int]]

    @property
    def contigs(self) -> list[str]:
        return list(self.species.contigs)

    @property
    def groups(self) -> dict[str, list[str]]:
        """Contigs that are scored together, by name: all, and if shown alone those of each folder, and each contig."""
        groups = {ALL: self.contigs}
        if self.entry.shown_alone:
            folders = [contigs for contigs in self.species.by_folder.values() if len(contigs) > 1]
            groups |= {",".join(contigs): contigs for contigs in [*folders, *([c] for c in self.contigs)]}
        return groups

    @cached_property
    def best_augustus(self) -> str:
        """The AUGUSTUS run with the highest F1 of loci on this very set."""
        runs = [predictor for predictor in self.predictions if predictor.startswith(AUGUSTUS)]
        return max(runs, key=lambda predictor: loci_within(self.reference, self.counted[predictor], 0).f1)

    def outcomes(self, model: str) -> tuple[np.ndarray, np.ndarray]:
        """Probability of each counted gene of a model, float (n,), and whether its locus is right, bool (n,)."""
        probabilities = np.array([gene.score for gene in self.counted[model]], dtype=float)
        return probabilities, right_loci(self.counted[model], self.reference)


def measure(
    entry: ScoredSet,
    part: str,
    models: Sequence[Model],
    data: Path,
    cache: Path,
    augustus: AugustusCache,
    without_homologue: Collection[str],
    folder: Path,
) -> Measured:
    """Predict one set with all programs; the models' files go to ``folder``."""
    part = entry.scored_part(part)
    species = read_set(data, entry, part, cache)
    contigs = list(species.contigs)
    scope = species.scope(contigs, frozenset(without_homologue))
    predictions, transcripts, faults = {}, {}, {}
    for model in models:
        files, _ = model.predict(entry, species.fasta, contigs, folder)
        predictions[model.name] = read_gff3(files.gff3, species.contigs)
        minimum_intron = Decoders.load(model.folder / "decoder.json").of(entry.lineage, entry.species).minimum_intron
        found = faults_in(str(files.gff3), str(species.fasta), minimum_intron)
        transcripts[model.name], faults[model.name] = found
    with Genome(species.fasta) as genome:
        for name in entry.augustus:
            predictions[f"{AUGUSTUS} {name}"] = augustus.predict_genes(genome, contigs, name)[0]
    reference = scorable(scope.reference, scope.mask, contigs)
    counted = {
        predictor: without_unscored_loci(scorable(genes, scope.mask, contigs), reference, scope.ignored)
        for predictor, genes in predictions.items()
    }
    wrong = {
        predictor: wrong_genes(reference, genes, scope.ignored, species.transposons)
        for predictor, genes in counted.items()
    }
    names = tuple(model.name for model in models)
    return Measured(entry, part, names, species, scope, predictions, reference, counted, wrong, transcripts, faults)


def rows_of(done: Measured) -> list[Row]:
    """Every figure of a set but splice sites and speed, as rows of :data:`COLUMNS`."""
    name, rows = done.entry.name, []
    for group, contigs in done.groups.items():
        free = next(iter(done.scope.subsets.values()))
        scores = score_predictors(done.predictions, done.species.scope(contigs, free))
        rows += [(name, group, *row) for row in scores.itertuples(index=False)]
        reference, counted = _on(contigs, done.reference), {p: _on(contigs, g) for p, g in done.counted.items()}
        rows += [(name, group, *row) for row in _bootstrap_rows(done, reference, counted)]
        for predictor, genes in counted.items():
            rows += [(name, group, predictor, *row) for row in _tolerant_rows(reference, genes)]
    for predictor, genes in done.counted.items():
        found = _error_rows(done, predictor)
        if done.entry.unlabelled:
            found += _labelled_rows(done.reference, genes)
        rows += [(name, ALL, predictor, *row) for row in found]
    for model in done.models:
        rows += [(name, ALL, model, *row) for row in _calibration_rows(*done.outcomes(model))]
        rows += [
            (name, ALL, model, "transcript", "validity", ALL, check, float(count), done.transcripts[model])
            for check, count in sorted(done.faults[model].items())
        ]
    return rows


def _on(contigs: Collection[str], genes: Sequence[GeneModel]) -> list[GeneModel]:
    wanted = set(contigs)
    return [gene for gene in genes if gene.contig in wanted]


def _bootstrap_rows(
    done: Measured, reference: Sequence[GeneModel], counted: Mapping[str, Sequence[GeneModel]]
) -> list[Row]:
    """Intervals of F1, and of how far each model is above the best run of AUGUSTUS."""
    drawn, rows = resampled_f1(reference, counted), []
    for predictor in counted:
        for level in LEVELS:
            values = {"f1": drawn[predictor, level]}
            if predictor in done.models:
                values["f1_above_augustus"] = drawn[predictor, level] - drawn[done.best_augustus, level]
            for metric, draws in values.items():
                for end, value in zip(("low", "high"), interval(draws), strict=True):
                    rows.append((predictor, level, "exact", ALL, f"{metric}_{end}", value, len(reference)))
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


def _calibration_rows(probabilities: np.ndarray, right: np.ndarray) -> list[Row]:
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


def site_rows(done: Measured, models: Sequence[Model], contig: str) -> list[Row]:
    """Splice sites of one whole contig, by the scores of sites of each model."""
    with Genome(done.species.fasta) as genome:
        bases = genome.bases(contig)
    truth, rows = annotated_sites(done.species.genes, contig, bases.size), []
    for model in models:
        for site, figures in score_sites(ranked_sites(model.predictor(done.entry), bases), truth).items():
            metrics = ("average_precision", "best_f1", "threshold", "precision", "recall")
            place = (done.entry.name, contig, model.name, site, "site_ranking", ALL)
            rows += [(*place, metric, getattr(figures, metric), figures.sites) for metric in metrics]
    return rows


def speed_rows(
    done: Measured, models: Sequence[Model], contig: str, augustus: AugustusCache, anew: bool, folder: Path
) -> list[Row]:
    """What :func:`accuracy_models.speed_of` measures."""
    seconds, bases = speed_of(done.entry, done.species.fasta, contig, models, augustus, anew, folder)
    rows = []
    for predictor, (cpu, wall) in seconds.items():
        values = {"cpu_seconds": cpu, "wall_seconds": wall, "kb_per_cpu_second": bases / 1000 / cpu}
        place = (done.entry.name, contig, predictor, "base", "speed", ALL)
        rows += [(*place, metric, value, bases) for metric, value in values.items()]
    return rows


def value_of(table: pd.DataFrame, **wanted: str) -> float:
    """The one value of the table whose columns have the given texts; NaN where there is none."""
    chosen = np.logical_and.reduce([table[column] == text for column, text in wanted.items()])
    found = table.loc[chosen, "value"]
    return float(found.iloc[0]) if len(found) else float("nan")
