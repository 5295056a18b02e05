"""Features of the structure model along a genome, for the regulatory head: means over cells, both strands averaged."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from phytoscribe.devices import choose_device
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_open, atomic_path
from phytoscribe.genome import Genome
from phytoscribe.models.loading import model_hash
from phytoscribe.models.regulatory import TRUNK_CELL
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.windows import ContigSequence, Piece, PredictionSettings

logger = logging.getLogger(__name__)


def _cells(length: int) -> int:
    return -(-length // TRUNK_CELL)


def trunk_reader(
    model: Path, device: str, threads: int, names: tuple[str, str], settings: PredictionSettings | None = None
) -> StructurePredictor:
    """A structure model that reads all features of its trunk.

    Args:
        names: species and lineage.
        settings: the defaults if not given.
    """
    found = StructurePredictor.from_folder(
        model, settings or PredictionSettings(), choose_device(device), *names, threads=threads
    )
    found.network.read_features(np.eye(found.network.channels, dtype=np.float32))
    return found


def write_trunk_cells(
    fasta: str | Path,
    model: Path,
    settings: PredictionSettings,
    device: str,
    names: tuple[str, str],
    output: tuple[Path, Path],
    threads: int,
) -> None:
    """Read a genome with the trunk of a structure model; write its cells and, beside them, what they are.

    Args:
        model: folder of the structure model.
        names: species and lineage of the genome.
        output: the cells, float16 (cells, channels) as ``.npy``; their description as JSON.
        threads: CPU threads; they do not change the result.
    """
    predictor = trunk_reader(model, device, threads, names, settings)
    channels = predictor.network.channels
    cells, described = output
    with Genome(fasta) as genome, atomic_path(cells) as temporary:
        total = sum(map(_cells, genome.contigs.values()))
        table = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float16, shape=(total, channels))
        done = 0
        for contig, length in genome.contigs.items():
            sequence = ContigSequence(contig, length, partial(genome.bases, contig))
            for means in _means(predictor.pieces(sequence)):
                table[done : done + len(means)] = means
                done += len(means)
            logger.info("%s: %d bases read by the trunk", contig, length)
        table.flush()
        what = {"model_hash": model_hash(model), "channels": channels, "contigs": dict(genome.contigs)}
    with atomic_open(described) as handle:
        handle.write(json.dumps(what) + "\n")


def _means(pieces: Iterable[Piece]) -> Iterator[npt.NDArray[np.float32]]:
    """Means of cells, (cells, channels), from the consecutive pieces of a contig; the last cell may be shorter."""
    rest: npt.NDArray[np.float32] | None = None
    for piece in pieces:
        both = np.add(*piece.features, dtype=np.float32) / 2
        both = both if rest is None else np.concatenate([rest, both])
        whole = len(both) if piece.last else len(both) // TRUNK_CELL * TRUNK_CELL
        edges = np.arange(0, whole, TRUNK_CELL)
        if edges.size:
            sums = np.add.reduceat(both[:whole], edges, axis=0)
            yield sums / np.diff(np.append(edges, whole))[:, None]
        rest = both[whole:]


class TrunkCells:
    """Cells of a genome, read from disk as they are asked for.

    Args:
        cells, described: files of :func:`write_trunk_cells`.
        contigs: name to length, of the FASTA.

    Attributes:
        channels: features of a cell; model_hash: of the structure model.

    Raises:
        PhytoScribeError: the files are of another genome.
    """

    def __init__(self, cells: str | Path, described: str | Path, contigs: Mapping[str, int]) -> None:
        what = json.loads(Path(described).read_text(encoding="utf-8"))
        if what["contigs"] != dict(contigs):
            raise PhytoScribeError(f"{described}: features of another genome; delete the file and run again")
        self._table = np.load(cells, mmap_mode="r")
        self.channels, self.model_hash = int(what["channels"]), str(what["model_hash"])
        starts = np.cumsum([0, *map(_cells, contigs.values())]).tolist()
        self._spans = dict(zip(contigs, itertools.pairwise(starts), strict=True))

    def around(self, contig: str, start: int, count: int) -> npt.NDArray[np.float32]:
        """``count`` cells from cell ``start`` of a contig on, (count, channels); zeros outside the contig."""
        first, last = self._spans[contig]
        found = np.zeros((count, self.channels), dtype=np.float32)
        left, right = max(0, start), min(last - first, start + count)
        if left < right:
            found[left - start : right - start] = self._table[first + left : first + right]
        return found
