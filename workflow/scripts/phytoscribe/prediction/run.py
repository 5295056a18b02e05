"""Predict a genome from files to files, for the rules predict_shard and merge_predictions."""

from __future__ import annotations

import functools
import itertools
import logging
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from phytoscribe import __version__
from phytoscribe.annotation.model import numbered
from phytoscribe.decoding.gene_classes import ELEMENT, GeneClassifier
from phytoscribe.devices import choose_device
from phytoscribe.evaluation.misfit import Amount, are_few, few_genes
from phytoscribe.evaluation.quality.predicted_genome import Repeats, count_letters
from phytoscribe.genome import Genome
from phytoscribe.genome.fasta import chosen_contigs
from phytoscribe.genome.junctions import JunctionReads
from phytoscribe.genome.names import organelle_of
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.merge import PredictionFiles, write_prediction
from phytoscribe.prediction.pool import FreedMemory
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.shards import (
    FROM_DNA,
    Shards,
    contigs_in_order,
    contigs_of_shard,
    shard_writer,
    sorted_genes,
)
from phytoscribe.prediction.weighed_evidence import Weighed, WeighedEvidence
from phytoscribe.prediction.windows import ContigSequence, Piece, PredictionSettings
from phytoscribe.sentences.generated import isoform_settings
from phytoscribe.tracks.recording import track_writer

logger = logging.getLogger(__name__)

#: Organelles that the log names one by one.
NAMED_ORGANELLES = 5


def predict_shard(
    fasta: str | Path,
    model_folder: Path,
    settings: Mapping[str, Any],
    species: str,
    lineage: str,
    chosen: Sequence[str] | None,
    shard: int,
    output: str | Path,
    threads: int,
    tracks: str | Path | None = None,
    isoforms: Mapping[str, Any] | None = None,
    isoform_folder: Path | None = None,
    junctions: JunctionReads | None = None,
    evidence: Weighed | None = None,
    proteins: Weighed | None = None,
    compared: bool = False,
    class_folder: Path | None = None,
) -> None:
    """Predict the contigs of one shard and write them as JSON lines (see :mod:`phytoscribe.prediction.shards`).

    Memory does not grow with the genome, because sequence is read, and genes and tracks are written, piece by piece.

    Args:
        settings: the configuration's ``predict``: window, margin, batch_size, precision, sensitivity, partial, device,
            shards.
        tracks: file for the probabilities along the contigs (see :mod:`phytoscribe.tracks.track_file`), if wanted.
        isoforms: the configuration's ``isoforms``, with the seed; none are written if not given.
        isoform_folder: with the files of its method; the model's folder if not given.
        junctions: RNA-seq reads of the genome, for the ranker.
        evidence, proteins: the tables of junctions and of aligned proteins, each with the file of its weights, if the
            genome has such evidence.
        compared: whether to write the genes from DNA alone beside those with evidence.
        class_folder: with the classifier of genes; they get no class if not given.
    """
    memory = FreedMemory()
    device = choose_device(settings["device"])
    prediction = PredictionSettings(**{name: settings[name] for name in PredictionSettings.__slots__})
    predictor = StructurePredictor.from_folder(model_folder, prediction, device, species, lineage, threads)
    predictor.decoder = replace(
        predictor.decoder, sensitivity=float(settings["sensitivity"]), partial=settings["partial"]
    )
    if isoforms and isoforms["method"] != "none":
        folder = isoform_folder or model_folder
        predictor.isoforms = isoform_settings(isoforms, folder, model_hash(model_folder), junctions)
    if class_folder:
        predictor.tell_classes(GeneClassifier.load(class_folder, model_hash(model_folder)))
    logger.info("precision: %s (asked for: %s); %d threads", predictor.precision, prediction.precision, threads)
    with Genome(fasta) as genome:
        contigs = chosen_contigs(genome.contigs, chosen)
        mine = contigs_of_shard(contigs, shard, settings["shards"])
        alone = {}
        if evidence or proteins:
            if compared:
                alone = {FROM_DNA: prediction_header(model_folder, predictor)}
                predictor.decoder_of_dna = predictor.decoder
            predictor.evidence = WeighedEvidence(evidence, proteins, model_hash(model_folder), mine)
            predictor.decoder = predictor.evidence.calibrate(predictor.decoder)
        readable = [contig for contig in mine if contigs[contig] >= predictor.decoder.minimum_cds]
        progress = ProgressReport(2 * sum(contigs[contig] for contig in readable))
        sequences = (
            ContigSequence(contig, contigs[contig], functools.partial(genome.bases, contig)) for contig in readable
        )

        def read(bases: int) -> None:
            progress.add(bases)
            memory.tidy()

        header = prediction_header(model_folder, predictor)
        kinds = (False, True)[: 1 + bool(alone)]
        with ExitStack() as stack:
            recorder = tracks and stack.enter_context(track_writer(tracks, header, readable))

            def watch(piece: Piece) -> None:
                recorder.add(piece.contig.name, piece.start, piece.states, piece.sites, piece.last)

            pieces = predictor.decoded(sequences, read, watch if recorder else None)
            found = contigs_in_order(pieces, readable, bool(alone))
            write, count = stack.enter_context(shard_writer(output, header | alone)), 0
            for contig, from_dna in itertools.product(mine, kinds):
                # What is shorter than the shortest gene has none.
                genes = next(found)[1] if contigs[contig] >= predictor.decoder.minimum_cds else ()
                written = write(contig, sorted_genes(genes, predictor.decoder.maximum_utr), from_dna)
                count += 0 if from_dna else written
    logger.info("%d genes on %d contigs", count, len(mine))


def prediction_header(model_folder: Path, predictor: StructurePredictor) -> dict[str, Any]:
    """The header of the output: everything that changes the result, and nothing else.

    The decoder's other settings belong to the model and are part of its hash.
    """
    species, lineage = predictor.species_tokens
    names = ("sensitivity", "partial", "minimum_intron", "minimum_cds", "maximum_utr")
    return {
        "PhytoScribe": __version__,
        "model": model_hash(model_folder),
        "device": predictor.device.type,
        "precision": predictor.precision,
        "window": predictor.settings.window,
        "margin": predictor.settings.margin,
        "read as": f"{species} {lineage}",
        **({"decoder": predictor.decoder_name} if predictor.decoder_name else {}),
        "score calibrated on": ", ".join(predictor.decoder.calibrated_on) or "not known",
        **{f"decoder.{name}": getattr(predictor.decoder, name) for name in names},
        **({"isoforms": str(predictor.isoforms)} if predictor.isoforms else {}),
        **({"gene classes": str(predictor.classifier)} if predictor.classifier else {}),
        **(predictor.evidence.header() if predictor.evidence else {}),
    }


def merge_shards(
    shards: Sequence[str],
    fasta: str | Path,
    genome_name: str,
    chosen: Sequence[str] | None,
    files: PredictionFiles,
    organelles: Collection[str] = (),
    drop_elements: bool = False,
    from_dna: bool = False,
) -> str:
    """Check that every contig occurs once, number the genes and write all files.

    Args:
        drop_elements: leave out element-like genes; others keep their ids.
        from_dna: write the genes from DNA alone, of shards that have both.
        organelles: contigs declared as organelles in the configuration, in addition to those recognised by name.

    Returns:
        A warning about too few genes, which is also in the GFF3 and the statistics; empty if there are enough.
    """
    with Genome(fasta) as genome:
        contigs = chosen_contigs(genome.contigs, chosen)
        found = Shards(shards, list(contigs), from_dna)
        named = organelles_among(contigs, organelles)
        genes = numbered(found.genes(), genome_name)
        warning = few_genes(found.gene_count, amount_of(genome, contigs, found.gene_count))
        header = {**found.header, "warning": warning} if warning else found.header
        if drop_elements:
            genes = (gene for gene in genes if gene.attributes.get("gene_class") != ELEMENT)
            header = {**header, "gene classes": f"{header['gene classes']}; element-like genes are left out"}
        count = write_prediction(genes, genome, contigs, header, named, files)
    for contig, kind in list(named.items())[:NAMED_ORGANELLES]:
        logger.warning(
            "contig %s is an organelle (%s): it may be circular, and its genes follow other rules than those that are "
            "looked for; take them from a program for organelles",
            contig,
            kind,
        )
    if len(named) > NAMED_ORGANELLES:
        logger.warning("%d contigs are organelles; %s lists them", len(named), files.stats)
    logger.info("%d genes written to %s", count, files.gff3)
    return warning


def amount_of(genome: Genome, contigs: Mapping[str, int], genes: int) -> Amount:
    """Bases searched for this number of genes; N are counted, by reading all bases, only if genes are few."""
    amount = Amount(sum(contigs.values()), 0, sum(genome.contigs.values()))
    if not are_few(genes, amount):
        return amount
    return amount._replace(
        gap_bases=sum(count_letters(genome, name, 0, length, Repeats())[0] for name, length in contigs.items())
    )


def organelles_among(contigs: Iterable[str], declared: Collection[str]) -> dict[str, str]:
    """Kind of organelle of each organelle contig, by its name or by the configuration."""
    kinds = {contig: organelle_of(contig) for contig in contigs}
    return {
        contig: kind or "organelle, says the configuration"
        for contig, kind in kinds.items()
        if kind or contig in declared
    }


class ProgressReport:
    """Logs share done, rate and remaining time, at most once every ten seconds."""

    INTERVAL = 10.0

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self._start = self._last = time.monotonic()

    def add(self, bases: int) -> None:
        self.done += bases
        now = time.monotonic()
        if now - self._last < self.INTERVAL and self.done < self.total:
            return
        self._last = now
        rate = self.done / max(now - self._start, 1e-9)
        left = (self.total - self.done) / rate if rate else float("inf")
        logger.info(
            "%.1f %% of both strands  %.1f kb/s of genome  %.1f min left",
            100 * self.done / self.total,
            rate / 2000,
            left / 60,
        )
