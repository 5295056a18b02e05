"""A trained structure model applied to whole contigs, both strands."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.genes import decode_contig
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.sequence import N_CODE, reverse_complement
from phytoscribe.labels.states import STATE_COUNT
from phytoscribe.models.batches import WindowTokens, collate_tokens, window_of
from phytoscribe.models.loading import check_fit, load_model, model_hash
from phytoscribe.models.structure import StructureModel
from phytoscribe.prediction.settings import PRECISIONS, PredictionSettings
from phytoscribe.tokenizer.segments import Segmenter

logger = logging.getLogger(__name__)

#: Log probabilities are kept in half precision; less likely than this counts as this.
LOWEST = -14.0
LogProbabilities = npt.NDArray[np.float16]


#: Windows of short contigs have lengths in these steps.
WINDOW_STEP = 1024


def shortest_window(length: int, margin: int) -> int:
    """Bases of a window that holds a whole contig of ``length`` bases and its margins, in steps."""
    return -(-(length + 2 * margin) // WINDOW_STEP) * WINDOW_STEP


class StructurePredictor:
    """Windows a contig, runs the model, joins the windows' cores and decodes genes.

    The window grid follows from the contig's length and the settings alone, and each strand is windowed from its own
    5' end, so neither batch size, shards, threads nor neighbouring contigs change the genes.
    """

    def __init__(
        self,
        model: StructureModel,
        segmenter: Segmenter,
        decoder: DecoderSettings,
        settings: PredictionSettings,
        device: torch.device,
        species: str = "",
        lineage: str = "",
    ) -> None:
        check_fit(model, segmenter)
        self.model = model.to(device).eval()
        self.segmenter = segmenter
        self.decoder = decoder
        self.settings = settings
        self.device = device
        self.set_species(species, lineage)

    def set_species(self, species: str, lineage: str) -> None:
        """Read what follows as this species; names that the tokenizer does not know read as unknown."""
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
    ) -> StructurePredictor:
        """Load model, tokenizer and decoder settings of a model folder (ModelError if it is incomplete)."""
        logger.info("model %s, hash %s", folder, model_hash(folder))
        return cls(
            load_model(StructureModel, folder),
            Segmenter(folder),
            DecoderSettings.load(Path(folder) / "decoder.json"),
            settings,
            device,
            species,
            lineage,
        )

    def strand_log_probabilities(
        self, bases: npt.NDArray[np.uint8], progress: Callable[[int], None] | None = None
    ) -> LogProbabilities:
        """Log probabilities of the strand that ``bases`` spells 5' to 3', float16 (length, STATE_COUNT).

        ``progress`` is called with the number of bases done after each batch.
        """
        length, core, margin = bases.size, self.settings.core, self.settings.margin
        window = min(self.settings.window, shortest_window(length, margin))
        result = np.empty((length, STATE_COUNT), dtype=np.float16)
        starts = list(range(0, length, core))
        size = min(self.settings.batch_size, len(starts))
        for first in range(0, len(starts), size):
            chunk = starts[first : first + size]
            windows = [window_of(bases, start - margin, window) for start in chunk]
            # Batches have one shape, so that the last one is computed like the others.
            windows += [windows[-1]] * (size - len(chunk))
            values = self._run(windows)
            for start, value in zip(chunk, values, strict=False):
                end = min(start + core, length)
                result[start:end] = value[margin : margin + end - start]
            if progress:
                progress(min(chunk[-1] + core, length) - chunk[0])
        return result

    def _run(self, windows: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        batch = collate_tokens([WindowTokens.of(w, self.segmenter, self.global_ids) for w in windows])
        precision = PRECISIONS[self.settings.precision]
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=precision is torch.bfloat16),
        ):
            output = self.model(*(part.to(self.device) for part in batch))
            return torch.log_softmax(output.states.float(), dim=-1).clamp(min=LOWEST).cpu().numpy()

    def log_probabilities(
        self, bases: npt.NDArray[np.uint8], progress: Callable[[int], None] | None = None
    ) -> tuple[LogProbabilities, LogProbabilities]:
        """Plus and minus strand's log probabilities, both in contig orientation."""
        plus = self.strand_log_probabilities(bases, progress)
        minus = self.strand_log_probabilities(reverse_complement(bases), progress)
        return plus, minus[::-1]

    def genes(
        self, contig: str, bases: npt.NDArray[np.uint8], progress: Callable[[int], None] | None = None
    ) -> list[GeneModel]:
        """Gene models of a contig; none for a contig of only N."""
        if not (bases != N_CODE).any():
            return []
        plus, minus = self.log_probabilities(bases, progress)
        return decode_contig(contig, bases, plus, minus, self.decoder)
