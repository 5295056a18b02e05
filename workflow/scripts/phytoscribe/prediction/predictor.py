"""Apply a trained structure model to both strands of any number of contigs, in constant memory."""

from __future__ import annotations

import itertools
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.contigs import GeneDecoding, ThreadedGeneDecoder
from phytoscribe.decoding.gene_classes import GeneClassifier
from phytoscribe.decoding.isoforms import IsoformSettings
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.devices import choose_precision
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.labels.states import SITE_COUNT, STATE_COUNT, State
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.loading import check_fit, load_model, model_hash
from phytoscribe.prediction.network import LOWEST, Readings, StructureNetwork
from phytoscribe.prediction.pool import after, single_core_threads
from phytoscribe.prediction.weighed_evidence import WeighedEvidence
from phytoscribe.prediction.windows import (
    ContigSequence,
    Joint,
    Piece,
    PredictionSettings,
    Table,
    Window,
    contig_windows,
)
from phytoscribe.tokenizer.segments import Segmenter

logger = logging.getLogger(__name__)

#: Threads that the network keeps as busy on processors as one decoder; there are as many contigs in work as decoders.
THREADS_PER_DECODER = 8
#: Pieces whose decoding may be under way for each thread, and once more: as many as one block of the lattice may take,
#: because its genes wait for its end.
PIECES_IN_WORK = 6
#: Threads that feed a GPU: while one waits for it, others prepare windows.
FEEDING_THREADS = 3

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class DecodedPiece:
    """Genes that became final with a piece of a contig, in order of their CDS; ``last`` closes the contig, and
    ``from_dna`` tells the genes without evidence where there are both.
    """

    contig: str
    genes: list[GeneModel]
    last: bool
    from_dna: bool = False


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
        #: Which isoforms are added to each gene, and what tells its class, if any.
        self.isoforms: IsoformSettings | None = None
        self.classifier: GeneClassifier | None = None
        #: The evidence that is weighed, if any.
        self.evidence: WeighedEvidence | None = None
        #: Decoder of genes from DNA alone, beside those with evidence, if these are wanted too.
        self.decoder_of_dna: DecoderSettings | None = None
        self.settings = settings
        self.device = device
        self.threads = threads or torch.get_num_threads()
        self.set_species(species, lineage)

    def set_species(self, species: str, lineage: str) -> None:
        """Set the species for the following contigs; names missing from the tokenizer are treated as unknown."""
        self.global_ids = (self.segmenter.species_id(species), self.segmenter.lineage_id(lineage))

    def tell_classes(self, classifier: GeneClassifier) -> None:
        """Tell the class of each gene from now on."""
        self.classifier = classifier
        self.network.read_features(classifier.projection)

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
        """Load model, tokenizer and the species' decoder of a model folder (ModelError if it is incomplete)."""
        logger.info("model %s, hash %s", folder, model_hash(folder))
        model, segmenter = load_model(AnnotationModel, folder), Segmenter(folder)
        decoders = Decoders.load(Path(folder) / "decoder.json")
        predictor = cls(model, segmenter, decoders.of(lineage, species), settings, device, species, lineage, threads)
        predictor.decoder_name = decoders.name_of(lineage, species)
        if predictor.decoder_name:
            own = ", ".join([*sorted(decoders.lineages), *sorted(decoders.species)])
            logger.info("decoder: %s; lineages and species with one of their own: %s", predictor.decoder_name, own)
        return predictor

    def decoded(
        self,
        contigs: Iterable[ContigSequence],
        progress: Progress | None = None,
        watch: Callable[[Piece], None] | None = None,
    ) -> Iterator[DecodedPiece]:
        """Yield the gene models of contigs as soon as they are final.

        With many threads, several contigs of a large genome are processed at a time; their pieces then alternate.
        With :attr:`decoder_of_dna`, each piece is followed by that of the genes from DNA alone: the network reads once.

        Args:
            progress: called with the number of bases read since the last call, both strands counted.
            watch: called with each piece, in order within a contig, from the decoding threads.
        """
        with ExitStack() as stack:
            pool = stack.enter_context(single_core_threads(self.threads))
            on_gpu = self.device.type != "cpu"
            readers = stack.enter_context(single_core_threads(FEEDING_THREADS)) if on_gpu else pool
            contigs_in_work: dict[str, Callable[[Piece], _PieceInWork]] = {}
            waiting: deque[_PieceInWork] = deque()
            limit = PIECES_IN_WORK * (1 + self.threads)
            for piece in self._pieces(contigs, readers, progress):
                name = piece.contig.name
                if name not in contigs_in_work:
                    contigs_in_work[name] = self._decoding(name, watch, partial(after, pool))
                waiting.append(contigs_in_work[name](piece))
                if piece.last:
                    del contigs_in_work[name]
                # The network goes on meanwhile, but not without limit: what waits is kept in memory.
                while waiting and (len(waiting) > limit or waiting[0].done()):
                    yield from waiting.popleft().results()
            for piece_in_work in waiting:
                yield from piece_in_work.results()

    def genes(self, contig: str, bases: Bases, progress: Progress | None = None) -> list[GeneModel]:
        """Gene models of a contig in memory; none for a contig of only N."""
        pieces = self.decoded([ContigSequence.of(contig, bases)], progress)
        return list(itertools.chain.from_iterable(piece.genes for piece in pieces))

    def log_probabilities(self, bases: Bases) -> tuple[Table, Table]:
        """Plus and minus strand's log probabilities of a whole contig, each float16 (length, STATE_COUNT).

        Both are in contig orientation.
        """
        return self._whole(bases, {"states": STATE_COUNT})[0]

    def site_probabilities(self, bases: Bases) -> tuple[Table, Table]:
        """Plus and minus strand's probabilities of splice sites of a whole contig, each float16 (length, 2).

        Columns: the base is the first base of an intron (donor), its last base (acceptor), of any isoform.  Both are in
        contig orientation.
        """
        return self._whole(bases, {"sites": SITE_COUNT})[0]

    def _decoding(
        self, contig: str, watch: Callable[[Piece], None] | None, start: Callable[..., Future[Any]]
    ) -> Callable[[Piece], _PieceInWork]:
        """A function that has the pieces of a contig watched and decoded; ``start`` as in ThreadedGeneDecoder."""
        evidence = self.evidence.of(contig) if self.evidence else None
        decodings = [GeneDecoding(self.decoder, self.isoforms, evidence, self.classifier)]
        if self.decoder_of_dna:
            decodings.append(GeneDecoding(self.decoder_of_dna, self.isoforms, None, self.classifier))
        decoders = [ThreadedGeneDecoder(contig, decoding, start) for decoding in decodings]
        watched: Future[None] | None = None

        def decode(piece: Piece) -> _PieceInWork:
            nonlocal watched
            if watch is not None:
                watched = start(lambda *_: watch(piece), *filter(None, [watched]))
            sites = piece.sites if self.isoforms and self.isoforms.judges else None
            features = piece.features if self.classifier else None
            given = (piece.bases, *piece.states, piece.last, sites, features)
            return _PieceInWork(contig, piece.last, [decoder.push(*given) for decoder in decoders], watched)

        return decode

    def output(self, bases: Bases) -> tuple[tuple[Table, Table], ...]:
        """The two tables of :meth:`log_probabilities` and those of :meth:`site_probabilities`, the contig read once."""
        return self._whole(bases, {"states": STATE_COUNT, "sites": SITE_COUNT})

    def output_with_features(self, bases: Bases) -> tuple[tuple[Table, Table], ...]:
        """The tables of :meth:`output` and the features that the network is asked for, each float16 (length, n)."""
        return self._whole(bases, {"states": STATE_COUNT, "sites": SITE_COUNT, "features": self.network.features})

    def _whole(self, bases: Bases, columns: Mapping[str, int]) -> tuple[tuple[Table, Table], ...]:
        """Tables for the contig by their name in :class:`Piece`, filled piece by piece: they are large."""
        tables = {
            name: [np.empty((bases.size, count), dtype=np.float16) for _ in "+-"] for name, count in columns.items()
        }
        for piece in self.pieces(ContigSequence.of("", bases)):
            rows = slice(piece.start, piece.start + piece.bases.size)
            for name, strands in tables.items():
                for table, part in zip(strands, getattr(piece, name), strict=True):
                    table[rows] = part
        return tuple((plus, minus) for plus, minus in tables.values())

    def pieces(self, contig: ContigSequence) -> Iterator[Piece]:
        """What the network says of a contig, piece by piece in order, without genes."""
        with single_core_threads(self.threads if self.device.type == "cpu" else FEEDING_THREADS) as readers:
            yield from self._pieces([contig], readers, None)

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
                for window, *tables in zip(windows, *readings, strict=False):
                    if piece := joint.add(window, *tables):
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
            return _nothing(len(windows), windows[0].size, self.network.features)
        return self.network(bases, self.global_ids)


class _PieceInWork(NamedTuple):
    contig: str
    last: bool
    genes: list[Future[list[GeneModel]]]  # those from DNA alone behind the others
    watched: Future[None] | None

    def done(self) -> bool:
        return all(genes.done() for genes in self.genes) and (self.watched is None or self.watched.done())

    def results(self) -> list[DecodedPiece]:
        if self.watched is not None:
            self.watched.result()
        return [
            DecodedPiece(self.contig, genes.result(), self.last, from_dna)
            for genes, from_dna in zip(self.genes, (False, True), strict=False)
        ]


def _nothing(windows: int, size: int, features: int) -> Readings:
    """What holds for windows of only N: intergenic."""
    states = np.full((windows, size, STATE_COUNT), LOWEST, dtype=np.float16)
    states[..., State.INTERGENIC] = 0.0
    sites, features_of_n = (np.zeros((windows, size, count), dtype=np.float16) for count in (SITE_COUNT, features))
    return Readings(states, sites, features_of_n)


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
