"""Expression heads as one function of the bases around a gene, and what each base adds to it.

Explained is one number: the expected log2(1 + TPM) of a tissue, or its mean over the tissues, averaged over the seeds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from phytoscribe.attribution.gradients import Attribution, along_lines
from phytoscribe.attribution.mutagenesis import VARIANTS, Codes, TrunkOfPieces, Values, strand_of_pieces, variants
from phytoscribe.devices import choose_device
from phytoscribe.errors import PhytoScribeError
from phytoscribe.expression.features import Windows
from phytoscribe.expression.windows import GeneWindow, WindowSettings, place_in_piece, reason_without
from phytoscribe.genome.intervals import merge_intervals
from phytoscribe.models.expression import BIN, CELL, ExpressionHead, load_heads
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.expression import read_windows
from phytoscribe.prediction.regulatory import check_trunk
from phytoscribe.prediction.trunk_cells import trunk_reader
from phytoscribe.prediction.windows import PredictionSettings

logger = logging.getLogger(__name__)

#: The mean over the tissues where no tissue is named.
MEAN = "mean"
#: Lines of integrated gradients in the network at a time, each of a window of 3,000 bases.
_TOGETHER = 8
#: Genes that are read between two lines of progress.
_GENES = 50

Run = tuple[str, int, Values]
"""Contig, first base (0-based) and values of the bases that follow, float32 (bases,)."""


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
    contributions = _contributions(heads, bases[[row for rows in by_contig.values() for row in rows]], steps)
    for contig, rows in by_contig.items():
        covered = merge_intervals(piece for row in rows for piece in windows[row].pieces)
        runs = [(start, np.zeros(end - start, dtype=np.float32)) for start, end in covered]
        starts = np.array([start for start, _ in runs])
        for window in (windows[row] for row in rows):
            own = next(contributions)
            for number, (start, end) in enumerate(window.pieces):
                values = own[number, place_in_piece(window, number, heads.settings)]
                values = values if window.span.strand == "+" else values[::-1]
                first, run = runs[int(np.searchsorted(starts, start, side="right")) - 1]
                part = run[start - first : end - first]
                part[:] = np.where(np.abs(values) > np.abs(part), values, part)
        yield from ((contig, start, values) for start, values in runs)


def _contributions(heads: ExplainedHeads, bases: Windows, steps: int) -> Iterator[Values]:
    """What each base contributes, (pieces, bases), gene after gene; tells how far it is."""
    start_time = time.monotonic()
    for first in range(0, len(bases), _GENES):
        some = bases[first : first + _GENES]
        yield from heads.integrated_gradients(some, steps).contribution.reshape(some.shape)
        done = first + len(some)
        rate = done / max(time.monotonic() - start_time, 1e-9)
        left = (len(bases) - done) / rate / 60
        logger.info("%d of %d genes  %.1f genes/s  %.1f min left", done, len(bases), rate, left)
