"""The models that accuracy.py runs, and how fast they are beside AUGUSTUS."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accuracy_sets import ScoredSet
from augustus_cache import AugustusCache

from phytoscribe.devices import choose_device
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.junctions import JunctionReads
from phytoscribe.models.loading import MODEL_FILES
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.run import merge_shards, predict_shard
from phytoscribe.prediction.windows import PredictionSettings

ROOT = Path(__file__).resolve().parents[1]
OURS, AUGUSTUS = "phytoscribe", "augustus"
_LABEL = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Model:
    """A model folder and how it is run.

    Attributes:
        label: tells several models apart; empty for a single one.
        settings: the configuration's section ``predict``.
    """

    label: str
    folder: Path
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The predictor in tables."""
        return f"{OURS} {self.label}" if self.label else OURS

    def predict(
        self,
        entry: ScoredSet,
        fasta: Path,
        contigs: Sequence[str],
        folder: Path,
        isoforms: Mapping[str, Any] | None = None,
        junctions: JunctionReads | None = None,
    ) -> tuple[PredictionFiles, float]:
        """From FASTA to GFF3 on one thread, as the rules do it; the files and the CPU seconds that it took.

        Args:
            isoforms: the configuration's section ``isoforms``, if any are wanted.
            junctions: RNA-seq reads of the genome, for the ranker of isoforms.
        """
        folder = folder / self.name.replace(" ", "_")
        folder.mkdir(parents=True, exist_ok=True)
        names = ("gff3", "gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
        files = PredictionFiles(*(folder / f"{entry.name}.{name}" for name in names))
        shard, before = folder / f"{entry.name}.jsonl", _cpu_seconds()
        place = (entry.species, entry.lineage, contigs, 0, shard)
        predict_shard(fasta, self.folder, self.settings, *place, threads=1, isoforms=isoforms, junctions=junctions)
        merge_shards([str(shard)], fasta, entry.name, contigs, files)
        return files, _cpu_seconds() - before

    def predictor(self, entry: ScoredSet) -> StructurePredictor:
        """For what the files do not hold: probabilities base by base."""
        named = ("window", "margin", "batch_size", "precision")
        windows = PredictionSettings(*(self.settings[name] for name in named))
        device = choose_device(self.settings["device"])
        return StructurePredictor.from_folder(self.folder, windows, device, entry.species, entry.lineage)


def named_models(given: Sequence[str], settings: Mapping[str, Any]) -> list[Model]:
    """The models of ``LABEL=FOLDER`` or ``FOLDER``; without any, the released one.

    Raises:
        SystemExit: a folder holds no model, or two models have the same label or none.
    """
    models = []
    for text in given or [str(released_model())]:
        label, _, folder = text.rpartition("=")
        if label and not _LABEL.fullmatch(label):
            raise SystemExit(f"--model {text}: a label has letters, digits, '.', '_' and '-' alone")
        if not (Path(folder) / MODEL_FILES[0]).is_file():
            raise SystemExit(f"--model {text}: {folder} holds no {MODEL_FILES[0]}, so it is no model")
        models.append(Model(label, Path(folder), settings))
    labels = [model.label for model in models]
    if len(set(labels)) < len(labels):
        raise SystemExit("--model: give each model a label of its own, as in --model new=FOLDER --model old=FOLDER")
    return models


def released_model() -> Path:
    """The one model folder under resources/models."""
    found = [path.parent for path in sorted((ROOT / "resources/models").glob(f"*/{MODEL_FILES[0]}"))]
    if len(found) != 1:
        raise SystemExit(f"resources/models holds {len(found)} models; name one with --model")
    return found[0]


def speed_of(
    entry: ScoredSet,
    fasta: Path,
    contig: str,
    models: Sequence[Model],
    augustus: AugustusCache,
    anew: bool,
    folder: Path,
) -> tuple[dict[str, tuple[float, float]], int]:
    """CPU and wall seconds of every program on one contig, by predictor, and the bases of the contig.

    One thread, from FASTA to the written genes. The sets before it have loaded and compiled everything; the model is
    loaded again. ``anew`` repeats AUGUSTUS's run.
    """
    seconds = {}
    for model in models:
        wall = time.monotonic()
        _, cpu = model.predict(entry, fasta, [contig], folder / "speed")
        seconds[model.name] = (cpu, time.monotonic() - wall)
    name = entry.augustus[0]
    with Genome(fasta) as genome:
        bases = genome.bases(contig)
    _, run = augustus.run(contig, bases, name, anew)
    seconds[f"{AUGUSTUS} {name}"] = (run.cpu_seconds, run.wall_seconds)
    return seconds, bases.size


def _cpu_seconds() -> float:
    """User and system time of this process and of its ended children."""
    return sum(os.times()[:4])
