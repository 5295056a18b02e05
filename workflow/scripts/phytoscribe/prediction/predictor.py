"""Apply a trained structure model to both strands of any number of contigs, in constant memory."""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.gene_models import StreamingGeneDecoder
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.devices import choose_precision
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.labels.states import SITE_COUNT, STATE_COUNT, State
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.loading import check_fit, load_model, model_hash
from phytoscribe.prediction.network import LOWEST, Readings, StructureNetwork
from phytoscribe.prediction.pool import InOrder, single_core_threads
from phytoscribe.prediction.windows import ContigSequence, PredictionSettings, Window, contig_windows
from phytoscribe.tokenizer.segments import Segmenter

logger = logging.getLogger(__name__)

#: Threads that the network keeps as busy on processors as one decoder; there are as many contigs in work as decoders.
THREADS_PER_DECODER = 8
#: Threads that feed a GPU: while one waits for it, others prepare windows.
FEEDING_THREADS = 3

Table = npt.NDArray[np.float16]
Progress = Callable[[int], None]


class Piece(NamedTuple):
    """A region of a contig for which both strands have been read; the pieces of a contig are consecutive.

    Attributes:
        bases: uint8 (n,).
        states: log probabilities of the plus and the minus strand, each (n, STATE_COUNT), contig orientation.
        sites: probabilities of donors and acceptors in the same way, each (n, 2).
        last: the contig ends here.
    """

    contig: ContigSequence
    start: int
    bases: Bases
    states: tuple[Table, Table]
    sites: tuple[Table, Table]
    last: bool


class Joint:
    """Joins the window cores of one contig into pieces as soon as both strands are available."""

    def __init__(self, contig: ContigSequence) -> None:
        self.contig = contig
        self._done = 0
        self._tables: dict[str, list[tuple[Table, Table]]] = {"+": [], "-": []}
        self._ends = {"+": 0, "-": 0}

    def add(self, window: Window, states: Table, sites: Table) -> Piece | None:
        """Take the next window of its strand, and return the piece that it completes, if any."""
        strand = window.strand
        self._tables[strand].append((window.core_of(states), window.core_of(sites)))
        self._ends[strand] = window.core_end
        start, end = self._done, min(self._ends.values())
        if end <= start:
            return None
        self._done = end
        plus, minus = (self._take(strand, end - start) for strand in "+-")
        states_of_both, sites_of_both = zip(plus, minus, strict=True)
        last = end == self.contig.length
        return Piece(self.contig, start, self.contig.read(start, end), states_of_both, sites_of_both, last)

    def _take(self, strand: str, count: int) -> tuple[Table, Table]:
        """The first ``count`` rows that wait on a strand; what is left goes on waiting."""
        parts = self._tables[strand]
        joined = tuple(np.concatenate(part) if len(parts) > 1 else part[0] for part in zip(*parts, strict=True))
        self._tables[strand] = [tuple(table[count:] for table in joined)] if joined[0].shape[0] > count else []
        states, sites = (np.ascontiguousarray(table[:count]) for table in joined)
        return states, sites


@dataclass(frozen=True, slots=True)
class DecodedPiece:
    """Genes that became final with a piece of a contig, in order of their CDS; ``last`` closes the contig."""

    contig: str
    genes: list[GeneModel]
    last: bool


class StructurePredictor:
    """Reads windows, joins their cores and decodes genes while the next windows are read.

    Args:
        threads: number of CPU cores; PyTorch's default if not given.  It does not change the result.
    """

    def __init__(
        self,
        model: AnnotationModel,
        segmenter: Segmenter,
        decoder: DecoderSettings,
        settings: PredictionSettings,
        device: torch.device,
        species: str = "",
        lineage: str = "",
        threads: int | None = None,
    ) -> None:
        check_fit(model, segmenter)
        self.network = StructureNetwork(model, segmenter, device, choose_precision(settings.precision, device))
        self.precision = self.network.precision
        self.segmenter = segmenter
        self.decoder = decoder
        #: Whose decoder it is, where a model has several.
        self.decoder_name = ""
        self.settings = settings
        self.device = device
        self.threads = threads or torch.get_num_threads()
        self.set_species(species, lineage)

    def set_species(self, species: str, lineage: str) -> None:
        """Set the species for the following contigs; names missing from the tokenizer are treated as unknown."""
        self.global_ids = (self.segmenter.species_id(species), self.segmenter.lineage_id(lineage))

    @property
    def species_tokens(self) -> tuple[str, str]:
        """The species and lineage tokens in use."""
        species, lineage = (self.segmenter.token(token) for token in self.global_ids)
        return species, lineage

    @classmethod
    def from_folder(
        cls,
        folder: str | Path,
        settings: PredictionSettings,
        device: torch.device,
        species: str = "",
        lineage: str = "",
        threads: int | None = None,
    ) -> StructurePredictor:
        """Load model, tokenizer and the lineage's decoder of a model folder (ModelError if it is incomplete)."""
        logger.info("model %s, hash %s", folder, model_hash(folder))
        model, segmenter = load_model(AnnotationModel, folder), Segmenter(folder)
        decoders = Decoders.load(Path(folder) / "decoder.json")
        predictor = cls(model, segmenter, decoders.of(lineage), settings, device, species, lineage, threads)
        predictor.decoder_name = decoders.name_of(lineage)
        if decoders.lineages:
            own = ", ".join(sorted(decoders.lineages))
            logger.info("decoder: %s; lineages with one of their own: %s", predictor.decoder_name, own)
        return predictor

    def decoded(
        self,
        contigs: Iterable[ContigSequence],
        progress: Progress | None = None,
        watch: Callable[[Piece], None] | None = None,
    ) -> Iterator[DecodedPiece]:
        """Yield the gene models of contigs as soon as they are final.

        With many threads, several contigs of a large genome are processed at a time; their pieces then alternate.

        Args:
            progress: called with the number of bases read since the last call, both strands counted.
            watch: called with each piece before it is decoded, in order within a contig, from the decoding threads.
        """
        with ExitStack() as stack:
            pool = stack.enter_context(single_core_threads(self.threads))
            on_gpu = self.device.type != "cpu"
            readers = stack.enter_context(single_core_threads(FEEDING_THREADS)) if on_gpu else pool
            decoders: dict[str, InOrder[Piece, DecodedPiece]] = {}
            waiting: deque[Future[DecodedPiece]] = deque()
            for piece in self._pieces(contigs, readers, progress):
                name = piece.contig.name
                if name not in decoders:
                    decoders[name] = InOrder(pool, _decoding(name, self.decoder, watch))
                waiting.append(decoders[name].submit(piece))
                if piece.last:
                    del decoders[name]
                # The network goes on meanwhile, but not without limit: what waits is kept in memory.
                while waiting and (len(waiting) > 2 * self.threads or waiting[0].done()):
                    yield waiting.popleft().result()
            for future in waiting:
                yield future.result()

    def genes(self, contig: str, bases: Bases, progress: Progress | None = None) -> list[GeneModel]:
        """Gene models of a contig in memory; none for a contig of only N."""
        pieces = self.decoded([ContigSequence.of(contig, bases)], progress)
        return list(itertools.chain.from_iterable(piece.genes for piece in pieces))

    def log_probabilities(self, bases: Bases) -> tuple[Table, Table]:
        """Plus and minus strand's log probabilities of a whole contig, each float16 (length, STATE_COUNT).

        Both are in contig orientation.
        """
        return self._whole(bases, "states", STATE_COUNT)

    def site_probabilities(self, bases: Bases) -> tuple[Table, Table]:
        """Plus and minus strand's probabilities of splice sites of a whole contig, each float16 (length, 2).

        Columns: the base is the first base of an intron (donor), its last base (acceptor), of any isoform.  Both are in
        contig orientation.
        """
        return self._whole(bases, "sites", SITE_COUNT)

    def _whole(self, bases: Bases, what: str, columns: int) -> tuple[Table, Table]:
        """One table for the contig, filled piece by piece: it is as large as a genome's arrays get."""
        plus, minus = (np.empty((bases.size, columns), dtype=np.float16) for _ in "+-")
        with single_core_threads(self.threads if self.device.type == "cpu" else FEEDING_THREADS) as readers:
            for piece in self._pieces([ContigSequence.of("", bases)], readers, None):
                rows = slice(piece.start, piece.start + piece.bases.size)
                plus[rows], minus[rows] = getattr(piece, what)
        return plus, minus

    def _pieces(
        self, contigs: Iterable[ContigSequence], readers: ThreadPoolExecutor, progress: Progress | None
    ) -> Iterator[Piece]:
        """Pieces of all contigs, each contig's in order."""
        reading: deque[tuple[Joint, Sequence[Window], Future[Readings]]] = deque()
        on_gpu = self.device.type != "cpu"
        in_work = self.threads if on_gpu else 1 + self.threads // THREADS_PER_DECODER
        batches = _in_turns((self._batches(contig) for contig in contigs), in_work)
        limit = 2 * (FEEDING_THREADS if on_gpu else self.threads)
        for joint, windows in itertools.chain(batches, itertools.repeat((None, ()))):
            if joint is not None:
                reading.append((joint, windows, readers.submit(self._read, joint.contig, windows)))
            elif not reading:
                return
            if joint is None or len(reading) > limit:
                joint, windows, future = reading.popleft()
                readings = future.result()
                for window, states, sites in zip(windows, *readings, strict=False):
                    if piece := joint.add(window, states, sites):
                        yield piece
                if progress:
                    progress(sum(w.core_end - w.core_start for w in windows))

    def _batches(self, contig: ContigSequence) -> Iterator[tuple[Joint, Sequence[Window]]]:
        """Windows of a contig that are computed together.

        The batches depend only on the contig and the settings: on CPUs one window, or both strands of a contig that
        fits into one; on a GPU ``batch_size`` windows.
        """
        joint = Joint(contig)
        windows = contig_windows(contig.length, self.settings.window, self.settings.margin)
        if contig.length <= self.settings.window:
            yield joint, list(windows)
            return
        count = 1 if self.device.type == "cpu" else self.settings.batch_size
        for _, alike in itertools.groupby(windows, key=lambda window: window.size):
            while batch := list(itertools.islice(alike, count)):
                yield joint, batch

    def _read(self, contig: ContigSequence, windows: Sequence[Window]) -> Readings:
        """Run the network on windows of one size, unless all of them are only N."""
        bases = [window.bases(contig) for window in windows]
        if not any((window != N_CODE).any() for window in bases):
            return _nothing(len(windows), windows[0].size)
        return self.network(bases, self.global_ids)


def _decoding(
    contig: str, settings: DecoderSettings, watch: Callable[[Piece], None] | None
) -> Callable[[Piece], DecodedPiece]:
    """A function that decodes the pieces of one contig."""
    decoder = StreamingGeneDecoder(contig, settings)

    def decode(piece: Piece) -> DecodedPiece:
        if watch is not None:
            watch(piece)
        genes = decoder.push(piece.bases, *piece.states)
        if piece.last:
            genes += decoder.finish()
        return DecodedPiece(contig, genes, piece.last)

    return decode


def _nothing(windows: int, size: int) -> Readings:
    """What holds for windows of only N: intergenic."""
    states = np.full((windows, size, STATE_COUNT), LOWEST, dtype=np.float16)
    states[..., State.INTERGENIC] = 0.0
    return Readings(states, np.zeros((windows, size, SITE_COUNT), dtype=np.float16))


def _in_turns(iterators: Iterator[Iterator], count: int) -> Iterator:
    """Items of the first ``count`` iterators in turns; the next iterator takes the place of one that has ended."""
    active = deque(itertools.islice(iterators, count))
    while active:
        try:
            item = next(active[0])
        except StopIteration:
            active.popleft()
            active.extend(itertools.islice(iterators, 1))
            continue
        active.rotate(-1)
        yield item
