"""The task of the isoform writer: from a training set and a structure model to its files (train_isoform_writer)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.decoded_gene import platt, platt_probabilities
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.genome.intervals import Interval
from phytoscribe.genome.junctions import ContigReads
from phytoscribe.models.isoform_writer import load_writer, save_writer
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.sentences.generated import grammar_of, log_odds, sites_beside
from phytoscribe.sentences.site_evidence import site_evidence
from phytoscribe.sentences.tokens import SentenceError
from phytoscribe.sentences.writing import Search
from phytoscribe.training.data.training_set import TrainingSet
from phytoscribe.training.loop.runs import claim_run_folder
from phytoscribe.training.tasks.isoform_writer.examples import Example, example_of
from phytoscribe.training.tasks.isoform_writer.fit import (
    Additions,
    Validation,
    ValidationGene,
    additions_of,
    fit_writer,
)
from phytoscribe.training.tasks.isoform_writer.loci import ReadLoci, ReadLocus, loci_of
from phytoscribe.training.tasks.isoforms.fit import Ranked, calibration_error, f1_of_transcripts, least_probability
from phytoscribe.training.tasks.isoforms.reading import TrainingReader

logger = logging.getLogger(__name__)


class ReadExamples(NamedTuple):
    """Examples of a stretch.

    Attributes:
        wanted: annotated isoforms that are no gene's first transcript; more than the examples' sentences have.
        left_out: genes without an example, by reason.
    """

    examples: list[Example]
    wanted: int
    left_out: Mapping[str, int]


def run_writer_training(
    training_set: Path,
    model_folder: Path,
    settings: Mapping[str, Any],
    seed: int,
    inputs: Sequence[str],
    run_folder: Path,
    target: Path,
    threads: int,
) -> None:
    """Train the writer on a structure model's output for the training genes; write it with its cut to ``target``.

    What has been read, and the state of each epoch, is kept in the run folder, so that a run that was stopped goes on
    from there.

    Args:
        settings: the configuration's ``isoforms.training`` and ``device``.
        inputs: files whose content decides the result.

    Raises:
        PhytoScribeError: no annotation of the training set has isoforms, or none of its validation regions.
    """
    claim_run_folder(run_folder, {**settings, "seed": seed}, inputs)
    reader = TrainingReader(TrainingSet.load(training_set), model_folder, settings["device"], threads)
    parts = list(reader.training(settings["bases"], run_folder, read_examples, save_examples, load_examples))
    examples = [example for part in parts for example in part.examples]
    written, wanted = sum(x.isoforms for x in examples), sum(part.wanted for part in parts)
    left_out = sum((Counter(part.left_out) for part in parts), Counter())
    logger.info("%d genes, %d of %d isoforms in their sentences", len(examples), written, wanted)
    for reason, count in sorted(left_out.items()):
        logger.info("%d genes left out: %s", count, reason)
    if not written:
        raise PhytoScribeError(
            "no gene of the training set has a second CDS whose sites are read, so there is nothing to learn; isoforms "
            "are trained on genomes with `isoforms: complete` whose genes have several transcripts"
        )
    regions = reader.validation(read_loci)
    validation = validation_of([region.part for region in regions])
    if not all(any(g.wanted and g.half == half for g in validation.predicted) for half in range(2)):
        raise PhytoScribeError(
            "the validation regions have too few genes with a second CDS to calibrate the probability of an isoform; "
            "give the validation part a larger share (split.fractions, or contigs.validate)"
        )
    sizes = {name: settings[name] for name in ("width", "encoder_layers", "decoder_layers")}
    network, metrics = fit_writer(examples, validation, sizes, settings["epochs"], seed, run_folder)
    with atomic_path(target) as folder:
        folder.mkdir()
        report = {"model": model_hash(model_folder), "chosen_on": sorted({region.species for region in regions})}
        # Judged as it is read: in double precision, from weights in half precision.
        save_writer(network, report, folder)
        network, _ = load_writer(folder)
        found = additions_of(network, validation.predicted, validation.wanted[0], Search())
        if not all(found.of_half(half).scores.size for half in range(2)):
            raise PhytoScribeError(
                "the network writes nothing beside the genes of the validation regions, so nothing can be calibrated; "
                "train it longer (isoforms.training.epochs) or on more (isoforms.training.bases)"
            )
        f1 = f1_of_transcripts([region.part[0] for region in regions])
        report |= calibrated(found, f1)
        report["training"] = {"genes": len(examples), "isoforms": written, "wanted": wanted, "left_out": dict(left_out)}
        report["seed"] = seed
        save_writer(network, report, folder)
        metrics.path = folder / "metrics.tsv"
        metrics.add(settings["epochs"], {})


def calibrated(found: Additions, f1: float) -> dict[str, Any]:
    """Calibration and cut of what was written beside predicted first transcripts.

    Args:
        f1: of transcripts, with one transcript for each gene.
    """
    error = float(np.mean([calibration_error(_with(_line(found.of_half(1 - k)), found.of_half(k))) for k in range(2)]))
    slope, offset = _line(found.found)
    cut = least_probability(_with((slope, offset), found.found), f1)
    logger.info("transcript F1 with one transcript %.4f, cut %.3f, calibration error %.3f", f1, cut, error)
    return {
        "minimum_probability": {"generated": round(cut, 4)},
        "calibration": [slope, offset],
        "validation": {"transcript_f1_with_one": f1, "calibration_error_held_out": error},
    }


def _line(found: Ranked) -> tuple[float, float]:
    return platt(log_odds(found.scores), found.right)


def _with(line: tuple[float, float], found: Ranked) -> Ranked:
    return Ranked(platt_probabilities(log_odds(found.scores), *line), found.right)


def read_examples(
    predictor: StructurePredictor,
    bases: npt.NDArray[np.uint8],
    genes: Sequence[GeneModel],
    mask: Sequence[Interval],
    decoder: DecoderSettings,
    reads: ContigReads | None = None,
) -> ReadExamples:
    """Examples of a stretch; arguments as of :func:`read_loci`."""
    return examples_of(*read_loci(predictor, bases, genes, mask, decoder, reads))


def read_loci(
    predictor: StructurePredictor,
    bases: npt.NDArray[np.uint8],
    genes: Sequence[GeneModel],
    mask: Sequence[Interval],
    decoder: DecoderSettings,
    reads: ContigReads | None = None,
) -> tuple[ReadLoci, DecoderSettings]:
    """Loci of a stretch, with the decoder; arguments as of :func:`loci_of`.

    Args:
        reads: RNA-seq reads, which the writer does not look at.
    """
    return loci_of(predictor, bases, genes, mask, decoder), decoder


def examples_of(loci: ReadLoci, decoder: DecoderSettings) -> ReadExamples:
    """Examples of the loci of a stretch."""
    examples, left_out = [], Counter()
    for locus in loci.loci:
        try:
            examples.append(example_of(locus, decoder))
        except SentenceError as error:
            left_out[str(error.reason)] += 1
    return ReadExamples(examples, sum(len(x.wanted) + x.beyond for x in loci.loci), left_out)


def validation_of(regions: Sequence[tuple[ReadLoci, DecoderSettings]]) -> Validation:
    """The genes of validation regions, those of every other region in one half."""
    kinds: tuple[list[ValidationGene], list[ValidationGene]] = [], []
    for number, (loci, decoder) in enumerate(regions):
        for locus in loci.loci:
            try:
                kinds[locus.completes].append(_ready(locus, decoder, number % 2))
            except SentenceError as error:
                logger.info("a validation gene is left out: %s", error)
    missed = sum(loci.reference - loci.first_right for loci, _ in regions)
    beside = sum(len(x.wanted) + x.beyond for loci, _ in regions for x in loci.loci if x.completes)
    return Validation(*kinds, (missed, beside))


def _ready(locus: ReadLocus, decoder: DecoderSettings, half: int) -> ValidationGene:
    gene = locus.gene
    table = sites_beside(gene)
    evidence, grammar = site_evidence(table, gene, decoder), grammar_of(table, gene, decoder)
    chains = frozenset(isoform.cds for isoform in locus.wanted)
    return ValidationGene(table, evidence, grammar, chains, half)


def save_examples(path: Path, part: ReadExamples) -> None:
    """Keep the examples of a stretch."""
    examples = part.examples
    join = partial(_joined, examples)
    allowed = join(lambda x: x.allowed.ravel(), bool)
    with atomic_path(path) as temporary, temporary.open("wb") as handle:
        np.savez(
            handle,
            sizes=np.array([len(x.kinds) for x in examples], dtype=np.int64),
            lengths=np.array([len(x.words) for x in examples], dtype=np.int64),
            isoforms=np.array([x.isoforms for x in examples], dtype=np.int64),
            evidence=np.concatenate([x.evidence for x in examples]) if examples else np.empty((0, 0), np.float16),
            kinds=join(lambda x: x.kinds, np.uint8),
            words=join(lambda x: x.words, np.int16),
            allowed=np.packbits(allowed),
            bits=np.array([x.allowed.size for x in examples], dtype=np.int64),
            wanted=np.array(part.wanted),
            reasons=np.array(list(part.left_out), dtype=str),
            counts=np.array(list(part.left_out.values()), dtype=np.int64),
        )


def _joined(examples: Sequence[Example], of: Any, kind: Any) -> npt.NDArray:
    return np.concatenate([of(x) for x in examples]) if examples else np.empty(0, kind)


def load_examples(path: Path) -> ReadExamples:
    """Inverse of :func:`save_examples`."""
    with np.load(path) as stored:
        sizes, lengths, bits = (stored[name] for name in ("sizes", "lengths", "bits"))
        left_out = dict(zip(stored["reasons"].tolist(), stored["counts"].tolist(), strict=True))
        if not sizes.size:
            return ReadExamples([], int(stored["wanted"]), left_out)
        allowed = np.unpackbits(stored["allowed"], count=int(bits.sum())).astype(bool)
        by_site, by_word = np.cumsum(sizes)[:-1], np.cumsum(lengths)[:-1]
        parts = zip(
            np.split(stored["evidence"], by_site),
            np.split(stored["kinds"], by_site),
            np.split(stored["words"], by_word),
            np.split(allowed, np.cumsum(bits)[:-1]),
            stored["isoforms"].tolist(),
            strict=True,
        )
        examples = [Example(e, k, w, a.reshape(len(w) - 1, -1), n) for e, k, w, a, n in parts]
        return ReadExamples(examples, int(stored["wanted"]), left_out)
