"""Which places around a gene move the level that expression heads predict, and how far their attribution can be
trusted."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from phytoscribe.attribution.attribute import (
    AGREEMENT,
    GAP,
    RELIABLE,
    SHARE,
    SHUFFLES,
    TRUSTED,
    agreement,
    chosen_by_seed,
    quartiles,
)
from phytoscribe.attribution.explained_heads import ExplainedHeads, ReadGene
from phytoscribe.attribution.gradients import Attribution
from phytoscribe.attribution.mutagenesis import Codes, shuffled_dinucleotides
from phytoscribe.errors import PhytoScribeError
from phytoscribe.expression.baselines import Fitted, chosen_ridge
from phytoscribe.expression.examples import GenomeFiles, read_examples
from phytoscribe.expression.features import Windows, kmer_roots
from phytoscribe.expression.window_table import used
from phytoscribe.expression.windows import WindowSettings, reason_without
from phytoscribe.genome.intervals import true_runs
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.prediction.expression import read_windows
from phytoscribe.splits.parts import TEST, TRAIN, VALIDATE
from phytoscribe.tables import PROFILE
from phytoscribe.training.tasks.regulatory.scores import COLUMNS

logger = logging.getLogger(__name__)

#: ``model`` of the table's rows.
EXPRESSION = "expression"
#: ``subset`` of genes of which none is known to be held out.
EVERY = "all"
#: Bases before the TSS that are changed one by one.
CHANGED = 200
#: Bases that are shuffled together for the position profile.
WORD = 6
#: Words in a row that are read together: what one of them reaches, its neighbours nearly reach too.
_WORDS_TOGETHER = 8
#: Ends of a gene, in the order of the pieces of a window.
TSS, TTS = ENDS = ("TSS", "TTS")
HEAD, CONTROL = "head", "window_kmers"


def words_of(settings: WindowSettings, piece: int) -> npt.NDArray[np.int64]:
    """First bases of the words of a piece, (words,); the end of the gene lies between two of them."""
    boundary = end_in_piece(settings, piece)
    return np.arange(boundary % WORD, settings.piece - WORD + 1, WORD)


def end_in_piece(settings: WindowSettings, piece: int) -> int:
    """The first transcribed base in the piece of the TSS, and the first one behind the gene in that of the TTS."""
    return settings.piece - settings.inside if piece == 0 else settings.inside


def shuffled_words(bases: Codes, starts: npt.NDArray[np.int64], generator: np.random.Generator) -> Codes:
    """The piece with one word after the other in another order, uint8 (words, bases); N stay where they are."""
    made = np.repeat(bases[None], len(starts), axis=0)
    for row, start in enumerate(starts):
        word = made[row, start : start + WORD]
        known = np.flatnonzero(word != N_CODE)
        word[known] = generator.permutation(word[known])
    return made


def shuffled_stretches(bases: Codes, generator: np.random.Generator) -> Codes:
    """A piece whose stretches between N have their dinucleotides in another order."""
    made = bases.copy()
    for start, end in true_runs(bases != N_CODE):
        made[start:end] = shuffled_dinucleotides(bases[start:end], generator)
    return made


class GenesToExplain(NamedTuple):
    """Genes of a genome with the heads that read them.

    Attributes:
        genome: its name; part: of the split, of which the genes are.
        names: of the genes.
        bases: of their windows, uint8 (genes, pieces, bases).
    """

    heads: ExplainedHeads
    genome: str
    part: str
    names: Sequence[str]
    bases: Windows


def read_genes(
    head: Path,
    structure_model: Path | None,
    genome: str,
    files: tuple[Path, Path],
    names: tuple[str, str],
    table: pd.DataFrame | None,
    output: str,
    device: str,
    threads: int,
) -> GenesToExplain:
    """The genes of a genome that may be explained: test genes of heads that are trained here, else all with a window.

    Args:
        files: GFF3 and FASTA.
        table: of all genomes (``results/splits/gene_windows.tsv``), for heads that are trained here; validation genes
            are taken if it has no test genes.
        head, structure_model, names, output, device, threads: as in :meth:`ExplainedHeads.load`.
    """
    heads = ExplainedHeads.load(head, structure_model, output, names, device, threads)
    windows, bases = read_windows(*map(Path, files), heads.settings)
    part, wanted = EVERY, None
    if table is not None:
        part = TEST if len(used(table, [TEST])) else VALIDATE
        wanted = set(used(table[table["genome"] == genome], [part])["gene"])
    rows = [
        row
        for row, window in enumerate(windows)
        if (wanted is None or window.span.id in wanted) and not reason_without(window, bases[row], heads.settings)
    ]
    return GenesToExplain(heads, genome, part, [windows[row].span.id for row in rows], bases[rows])


def control_of(table: pd.DataFrame, genomes: Sequence[GenomeFiles], settings: WindowSettings) -> Fitted:
    """A regression on the k-mers of the window, ``window_kmers`` of the scores: it reads words, hardly places."""
    parts = [read_examples(table, genomes, settings, part) for part in (TRAIN, VALIDATE)]
    return chosen_ridge(*((kmer_roots(part.bases), part.log) for part in parts))[0]


def drawn_genes(genes: Sequence[GenesToExplain], most: int, seed: int) -> list[GenesToExplain]:
    """Up to ``most`` of the genes of all genomes together; which ones the seed says, whatever else there is."""
    keys = [f"{own.genome} {name}" for own in genes for name in own.names]
    taken, found, first = set(chosen_by_seed(keys, most, seed)), [], 0
    for own in genes:
        rows = [row for row in range(len(own.names)) if first + row in taken]
        found.append(own._replace(names=[own.names[row] for row in rows], bases=own.bases[rows]))
        first += len(own.names)
    return [own for own in found if len(own.names)]


class Explained(NamedTuple):
    """The tables of :func:`explain_genes`: how far attributions can be trusted, and the position profile."""

    trust: pd.DataFrame
    profile: pd.DataFrame


def explain_genes(
    genes: Sequence[GenesToExplain], label: str, steps: int, seed: int, control: Fitted | None = None
) -> Explained:
    """Compare attributions of genes with mutagenesis of the whole model, and shuffle their windows word by word.

    Args:
        genes: of :func:`drawn_genes`.
        label: what is explained, for the table.
        control: a regression on k-mers of the window, which is asked for the same shuffles; None for none.

    Raises:
        PhytoScribeError: there is no gene.
    """
    if not genes:
        raise PhytoScribeError("no gene has a window, so there is nothing to explain; set attribution.genes to 0")
    gaps, agreements, stem, whole = [], [], [], []
    most = sum(len(own.names) for own in genes)
    moved: dict[tuple[str, int], list[npt.NDArray[np.float64]]] = {}
    for own in genes:
        for name, bases in zip(own.names, own.bases, strict=True):
            generator = np.random.default_rng(_number_of(f"{seed} {own.genome} {name}"))
            gene = ReadGene(own.heads, bases)
            found = own.heads.integrated_gradients(bases[None], steps, gene.trunk)
            gaps.append(float(found.gap[0]))
            agreements.append(agreement_before_tss(gene, found))
            changes = changes_when_shuffled(gene, generator)
            stem.append(changes[0])
            whole.append(changes[1])
            for key, values in moved_by_words(gene, generator, control).items():
                moved.setdefault(key, []).append(values)
            logger.info(
                "%s, %s: rank correlation %.2f (gene %d of %d)", own.genome, name, agreements[-1], len(gaps), most
            )
    # What the stem alone changes in the direction in which the whole model changes.
    signs = np.sign(whole)
    share = float(np.sum(signs * stem) / np.sum(np.abs(whole))) if np.any(whole) else np.nan
    values = {
        GAP: quartiles(gaps),
        SHARE: (share, np.nan, np.nan),
        AGREEMENT: quartiles(agreements),
        TRUSTED: (float(np.median(agreements) >= RELIABLE), np.nan, np.nan),
    }
    part = genes[0].part
    rows = [(EXPRESSION, label, part, measure, *found, len(gaps), np.nan) for measure, found in values.items()]
    logger.info("%s of %d genes: rank correlation with mutagenesis %.2f", label, len(gaps), values[AGREEMENT][0])
    trust = pd.DataFrame(rows, columns=list(COLUMNS))
    return Explained(trust, pd.DataFrame(_profile(moved, genes[0].heads.settings), columns=list(PROFILE)))


def _number_of(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def agreement_before_tss(gene: ReadGene, found: Attribution) -> float:
    """Rank correlation of attribution and mutagenesis over the known ones of :data:`CHANGED` bases before the TSS."""
    tss = end_in_piece(gene.heads.settings, 0)
    places = range(max(0, tss - CHANGED), tss)
    known = gene.bases[0, places.start : tss] != N_CODE
    if known.sum() < WORD:
        return 0.0
    return agreement(gene.effects(places)[known], found.contribution[0, places.start : tss][known])


def changes_when_shuffled(gene: ReadGene, generator: np.random.Generator) -> tuple[float, float]:
    """What the level loses with shuffled windows, mean over shuffles: seen by the stem alone, and by all."""
    others = np.stack([[shuffled_stretches(x, generator) for x in gene.bases] for _ in range(SHUFFLES)])
    whole = gene.level - float(gene.heads.levels(others).mean())
    if gene.trunk is None:
        return whole, whole
    held = np.repeat(gene.trunk, SHUFFLES, axis=0)
    return gene.level - float(gene.heads.levels(others, held).mean()), whole


def moved_by_words(
    gene: ReadGene, generator: np.random.Generator, control: Fitted | None
) -> dict[tuple[str, int], npt.NDArray[np.float64]]:
    """Absolute change of the level for each word that is shuffled, by model and piece, (words,); NaN where all is N."""
    found = {}
    for piece, bases in enumerate(gene.bases):
        starts = words_of(gene.heads.settings, piece)
        made = shuffled_words(bases, starts, generator)
        unknown = np.array([(bases[start : start + WORD] == N_CODE).all() for start in starts])
        together = [slice(first, first + _WORDS_TOGETHER) for first in range(0, len(starts), _WORDS_TOGETHER)]
        levels = np.concatenate(
            [gene.changed(piece, made[own], starts[own][0], starts[own][-1] + WORD) for own in together]
        )
        found[HEAD, piece] = np.where(unknown, np.nan, np.abs(levels - gene.level))
        if control is not None:
            windows = np.repeat(gene.bases[None], len(starts) + 1, axis=0)
            windows[1:, piece] = made
            told = gene.heads.explained(control(kmer_roots(windows)))
            found[CONTROL, piece] = np.where(unknown, np.nan, np.abs(told[1:] - told[0]))
    return found


def _profile(
    moved: Mapping[tuple[str, int], Sequence[npt.NDArray[np.float64]]], settings: WindowSettings
) -> Iterator[tuple[str, str, int, float, float, float, int]]:
    """Rows of the profile, with the mean over genes and its interval of 95 % (normal)."""
    for (model, piece), values in sorted(moved.items()):
        of_genes, starts = np.stack(values), words_of(settings, piece)
        for start, column in zip(starts, of_genes.T, strict=True):
            known = column[np.isfinite(column)]
            if not known.size:
                continue
            error = 1.96 * known.std() / known.size**0.5
            middle, distance = float(known.mean()), int(start) - end_in_piece(settings, piece)
            yield model, ENDS[piece], distance, middle, middle - error, middle + error, known.size
