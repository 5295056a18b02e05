"""What expression heads look at: which bases around a gene move its predicted level, and how far that can be trusted.

Explained is one number: the expected log2(1 + TPM) of a tissue, or its mean over the tissues, averaged over the seeds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

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
from phytoscribe.attribution.gradients import Attribution, along_lines
from phytoscribe.attribution.mutagenesis import (
    VARIANTS,
    Codes,
    TrunkOfPieces,
    Values,
    shuffled_dinucleotides,
    strand_of_pieces,
    variants,
)
from phytoscribe.devices import choose_device
from phytoscribe.errors import PhytoScribeError
from phytoscribe.expression.baselines import Fitted, chosen_ridge
from phytoscribe.expression.examples import GenomeFiles, read_examples
from phytoscribe.expression.features import Windows, kmer_roots
from phytoscribe.expression.window_table import used
from phytoscribe.expression.windows import GeneWindow, WindowSettings, place_in_piece, reason_without
from phytoscribe.genome.intervals import merge_intervals, true_runs
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.expression import BIN, CELL, ExpressionHead, load_heads
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.expression import read_windows
from phytoscribe.prediction.regulatory import check_trunk
from phytoscribe.prediction.trunk_cells import trunk_reader
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.splits.parts import TEST, TRAIN, VALIDATE
from phytoscribe.tables import PROFILE
from phytoscribe.training.tasks.regulatory.scores import COLUMNS

logger = logging.getLogger(__name__)

#: ``model`` of the table's rows, and the mean over the tissues where no tissue is named.
EXPRESSION, MEAN = "expression", "mean"
#: ``subset`` of genes of which none is known to be held out.
EVERY = "all"
#: Bases before the TSS that are changed one by one.
CHANGED = 200
#: Bases that are shuffled together for the position profile.
WORD = 6
#: Words in a row that are read together: what one of them reaches, its neighbours nearly reach too.
_WORDS_TOGETHER = 8
#: Lines of integrated gradients in the network at a time, each of a window of 3,000 bases.
_TOGETHER = 8
#: Ends of a gene, in the order of the pieces of a window.
TSS, TTS = ENDS = ("TSS", "TTS")
HEAD, CONTROL = "head", "window_kmers"


@dataclass(frozen=True)
class ExplainedHeads:
    """Heads of all seeds, asked for one number, with the trunk before them where they take its features.

    Attributes:
        networks: in evaluation mode, on one device.
        settings: what they read of a gene.
        column: the tissue that is explained; None for the mean over all.
        trunk: features of pieces (pieces, bases) on the gene's strand; None for heads that read the sequence alone.
    """

    networks: Sequence[ExpressionHead]
    settings: WindowSettings
    column: int | None
    trunk: TrunkOfPieces | None = None

    @classmethod
    def load(
        cls, folder: Path, structure_model: Path | None, output: str, names: tuple[str, str], device: str, threads: int
    ) -> ExplainedHeads:
        """The heads of a folder.

        Args:
            structure_model: its folder, for heads that take features of its trunk.
            output: a tissue, or :data:`MEAN`.
            names: species and lineage of the genome that is read.

        Raises:
            ModelError: the heads are damaged, or were trained with another structure model.
            PhytoScribeError: they have no such tissue.
        """
        networks, report = load_heads(folder)
        check_trunk(folder, report["structure_model"], model_hash(structure_model) if structure_model else None)
        tissues = networks[0].config.tissues
        if output != MEAN and output not in tissues:
            raise PhytoScribeError(
                f"expression.track: {output!r} is no tissue of the heads in {folder}; use one of theirs "
                f"({', '.join(tissues)}), or {MEAN}"
            )
        for network in networks:
            network.requires_grad_(False).to(choose_device(device))
        trunk = None
        if structure_model is not None:
            # In single precision: the change of one base is smaller than what others round.
            settings = PredictionSettings(precision="float32")
            trunk = strand_of_pieces(trunk_reader(structure_model, device, threads, names, settings))
        column = tissues.index(output) if output in tissues else None
        return cls(networks, WindowSettings(**report["windows"]), column, trunk)

    @property
    def device(self) -> torch.device:
        return self.networks[0].stem.weight.device

    @cached_property
    def _owners(self) -> list[int]:
        """For each network the first one with the same motifs, which need not be found twice."""
        first: dict[bytes, int] = {}
        motifs = [b"".join(x.cpu().numpy().tobytes() for x in net.stem.parameters()) for net in self.networks]
        return [first.setdefault(key, number) for number, key in enumerate(motifs)]

    def matches(self, one_hot: Tensor) -> dict[int, Tensor]:
        """Matches of each set of motifs with windows (genes, pieces, bases, 4)."""
        return {number: self.networks[number].matches_of(one_hot) for number in sorted(set(self._owners))}

    def read(self, matches: Mapping[int, Tensor], trunk: Tensor | None) -> Tensor:
        """The explained number of each gene, (genes,)."""
        found = [
            network.expected(network.read(matches[owner], trunk))
            for network, owner in zip(self.networks, self._owners, strict=True)
        ]
        return self.explained(torch.stack(found).mean(dim=0))

    def explained(self, log: Tensor | npt.NDArray[np.float64]) -> Tensor | npt.NDArray[np.float64]:
        """The explained column of levels (genes, tissues)."""
        return log.mean(1) if self.column is None else log[:, self.column]

    def trunk_of(self, bases: Windows) -> Values | None:
        """Features of the trunk for windows (genes, pieces, bases), float32 (genes, pieces, bins, channels)."""
        if self.trunk is None:
            return None
        return self.trunk(bases.reshape(-1, bases.shape[-1])).reshape(*bases.shape[:2], bases.shape[2] // BIN, -1)

    def levels(self, bases: Windows, trunk: Values | None = None) -> npt.NDArray[np.float64]:
        """The explained number of windows, (genes,).

        Args:
            trunk: what the trunk is to have said; its own features if not given.
        """
        given, found = self.trunk_of(bases) if trunk is None else trunk, []
        for first in range(0, len(bases), VARIANTS):
            own = slice(first, first + VARIANTS)
            one_hot = self.networks[0].stem.one_hot(self.tensor(bases[own].astype(np.int64)))
            with torch.inference_mode():
                found.append(self.read(self.matches(one_hot), None if given is None else self.tensor(given[own])))
        return torch.cat(found).double().cpu().numpy()

    def integrated_gradients(self, bases: Windows, steps: int, trunk: Values | None = None) -> Attribution:
        """Attribution of windows (genes, pieces, bases); of the arrays, ``pieces`` and ``bases`` are one axis.

        Features of the trunk are held at the windows' own values.
        """
        shape = bases.shape

        def output(one_hot: Tensor, cells: Tensor | None = None) -> Tensor:
            return self.read(self.matches(one_hot.unflatten(1, shape[1:])), cells)

        trunk = self.trunk_of(bases) if trunk is None else trunk
        flat = bases.reshape(shape[0], -1)
        return along_lines(output, self.networks[0].stem, flat, steps, [] if trunk is None else [trunk], _TOGETHER)

    def tensor(self, values: npt.NDArray) -> Tensor:
        """An array on the device of the networks."""
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)


class ReadGene:
    """One gene as the heads read it, so that a change costs only what it reaches.

    Args:
        bases: of its window, uint8 (pieces, bases).
    """

    def __init__(self, heads: ExplainedHeads, bases: Codes) -> None:
        self.heads, self.bases = heads, bases
        self.trunk = heads.trunk_of(bases[None])
        with torch.inference_mode():
            one_hot = heads.networks[0].stem.one_hot(heads.tensor(bases[None].astype(np.int64)))
            self._matches = heads.matches(one_hot)
            own = heads.read(self._matches, None if self.trunk is None else heads.tensor(self.trunk))
        self.level = float(own)

    def changed(self, piece: int, codes: Codes, first: int, last: int) -> npt.NDArray[np.float64]:
        """The explained number with other bases in a piece, (variants,).

        Motifs are read again where a change reaches them; the trunk, whose tokens are cut anew, reads the whole piece.

        Args:
            codes: uint8 (variants, bases), that piece.
            first, last: only bases ``first`` to ``last`` - 1 differ.
        """
        heads, found = self.heads, []
        reach = heads.networks[0].stem.width // 2
        margin = -(-reach // CELL) * CELL
        low, high = max(0, first - reach) // BIN, -(-min(codes.shape[1], last + reach) // BIN)
        left, right = max(0, low * BIN - margin), min(codes.shape[1], high * BIN + margin)
        inside = slice((low * BIN - left) // CELL, (high * BIN - left) // CELL)
        for start in range(0, len(codes), VARIANTS):
            own = codes[start : start + VARIANTS]
            with torch.inference_mode():
                near = heads.networks[0].stem.one_hot(heads.tensor(own[:, left:right].astype(np.int64)))
                matches = {}
                for owner, whole in self._matches.items():
                    matches[owner] = whole.expand(len(own), -1, -1, -1).clone()
                    network = heads.networks[owner]
                    matches[owner][:, piece, low:high] = network.in_bins(network.cells_of(near)[:, inside])
                trunk = None
                if heads.trunk is not None:
                    cells = np.repeat(self.trunk, len(own), axis=0)
                    cells[:, piece] = heads.trunk(own)
                    trunk = heads.tensor(cells)
                found.append(heads.read(matches, trunk).double().cpu().numpy())
        return np.concatenate(found)

    def effects(self, places: range) -> npt.NDArray[np.float64]:
        """Mean loss over the three other bases at each place of the first piece, (places,)."""
        found = []
        for first in range(places.start, places.stop, BIN):
            part = range(first, min(first + BIN, places.stop))
            levels = self.changed(0, variants(self.bases[0], part), part.start, part.stop)
            found.append(self.level - levels.reshape(len(part), 3).mean(axis=1))
        return np.concatenate(found)


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


Run = tuple[str, int, Values]
"""Contig, first base (0-based) and values of the bases that follow, float32 (bases,)."""


def importance_of_genome(heads: ExplainedHeads, gff3: Path, fasta: Path, steps: int) -> Iterator[Run]:
    """:func:`importance` of all genes of a GFF3 that have a window."""
    windows, bases = read_windows(gff3, fasta, heads.settings)
    rows = [row for row, window in enumerate(windows) if not reason_without(window, bases[row], heads.settings)]
    return importance(heads, [windows[row] for row in rows], bases[rows], steps)


def importance(heads: ExplainedHeads, windows: Sequence[GeneWindow], bases: Windows, steps: int) -> Iterator[Run]:
    """What each base contributes to the level of its gene, contig after contig, as runs of bases that windows cover.

    Of a base in the windows of several genes the contribution that is largest without its sign is taken.

    Args:
        windows: in order along the contigs, as :func:`phytoscribe.expression.windows.windows_of_genes` gives them.
        bases: uint8 (genes, pieces, bases).
    """
    by_contig: dict[str, list[int]] = {}
    for row, window in enumerate(windows):
        by_contig.setdefault(window.span.contig, []).append(row)
    for contig, rows in by_contig.items():
        covered = merge_intervals(piece for row in rows for piece in windows[row].pieces)
        runs = [(start, np.zeros(end - start, dtype=np.float32)) for start, end in covered]
        starts = np.array([start for start, _ in runs])
        found = heads.integrated_gradients(bases[rows], steps).contribution.reshape(len(rows), *bases.shape[1:])
        for row, own in zip(rows, found, strict=True):
            window = windows[row]
            for number, (start, end) in enumerate(window.pieces):
                values = own[number, place_in_piece(window, number, heads.settings)]
                values = values if window.span.strand == "+" else values[::-1]
                first, run = runs[int(np.searchsorted(starts, start, side="right")) - 1]
                part = run[start - first : end - first]
                part[:] = np.where(np.abs(values) > np.abs(part), values, part)
        yield from ((contig, start, values) for start, values in runs)
        logger.info("%s: %d genes read", contig, len(rows))
