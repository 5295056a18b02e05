"""Isoforms of a model for isoforms.py: predicted from DNA, and added to an annotation."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from accuracy_models import named_models
from accuracy_sets import SETS, Species

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.isoform_ranker import RANKED_WITH_READS
from phytoscribe.files import atomic_path, sha256_of
from phytoscribe.genome.junctions import JunctionReads
from phytoscribe.models import RANKER_CUTS, RANKER_WEIGHTS, WRITER_FILES
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.completion import complete_annotation
from phytoscribe.prediction.predictor import StructurePredictor

log = logging.getLogger("isoforms")
#: Sections ``isoforms`` of the configuration by name: the model's own cut, and enough to draw a curve.
RANKED, RANKED_ALL = "ranked", "ranked, from 0.02"
GENERATED, GENERATED_ALL = "generated", "generated, from 0.02"
_MANY = {"maximum": 1000, "nmd": True}
OURS: dict[str, dict[str, Any]] = {
    RANKED: {"method": "ranked", "minimum_probability": "auto", "maximum": 3, "nmd": True},
    "lattice, from 0.05": {"method": "lattice", "minimum_probability": 0.05, **_MANY},
    RANKED_ALL: {"method": "ranked", "minimum_probability": 0.02, **_MANY},
}
_SEARCH = {"generated": {"search": "likely", "beam": 4, "draws": 100}, "seed": 1}
#: The same of a model that brings a writer.
WRITTEN: dict[str, dict[str, Any]] = {
    GENERATED: {"method": "generated", "minimum_probability": "auto", "maximum": 3, "nmd": True, **_SEARCH},
    GENERATED_ALL: {"method": "generated", "minimum_probability": 0.02, **_MANY, **_SEARCH},
}


class Released:
    """A model, by default the released one, on the contigs; its genes are kept in ``cache``.

    Args:
        junctions: RNA-seq reads of the contigs, which a prediction knows only on demand.
    """

    def __init__(
        self,
        species: Species,
        model: str | None,
        cache: Path,
        settings: Mapping[str, Any],
        junctions: JunctionReads | None = None,
    ) -> None:
        self.junctions = junctions
        self.species, self.cache, self.settings = species, cache, {**settings, "device": "cpu"}
        (self.model,) = named_models([model] if model else [], self.settings)

    @property
    def has_ranker(self) -> bool:
        """Whether there is anything to rank isoforms with."""
        return (self.model.folder / RANKER_WEIGHTS).is_file()

    @property
    def has_writer(self) -> bool:
        """Whether there is anything to generate isoforms with."""
        return all((self.model.folder / name).is_file() for name in WRITER_FILES)

    @property
    def ranks_with_reads(self) -> bool:
        """Whether it can use RNA-seq reads."""
        cuts = self.model.folder / RANKER_CUTS
        return self.has_ranker and RANKED_WITH_READS in json.loads(cuts.read_text())["minimum_probability"]

    def genes(self, isoforms: Mapping[str, Any] | None, with_reads: bool = False) -> list[GeneModel]:
        """Predicted genes, with isoforms as the configuration's section says."""

        def write(folder: Path) -> None:
            contigs = list(self.species.contigs)
            junctions = self.junctions if with_reads else None
            files, seconds = self.model.predict(SETS[0], self.species.fasta, contigs, folder, isoforms, junctions)
            log.info("%s: %.1f s of processor time", isoforms or "one transcript a gene", seconds)
            Path(files.gff3).rename(folder / "genes.gff3")

        return self._kept("genes with reads" if with_reads else "genes", isoforms, write)

    @property
    def predictor(self) -> StructurePredictor:
        """For the probabilities of sites."""
        return self.model.predictor(SETS[0])

    def completed(
        self, genes: Sequence[GeneModel], isoforms: Mapping[str, Any], with_reads: bool = False
    ) -> list[GeneModel]:
        """Genes of an annotation with the isoforms that are added to them."""

        def write(folder: Path) -> None:
            with (folder / "given.gff3").open("w", encoding="utf-8") as handle:
                write_gff3(handle, genes, self.species.contigs)
            place = (self.settings, SETS[0].species, SETS[0].lineage, list(self.species.contigs), folder / "genes.gff3")
            models = (self.model.folder, self.model.folder, isoforms)
            annotation = (folder / "given.gff3", folder / "given.gff3")
            complete_annotation(self.species.fasta, *annotation, *models, *place, threads=1, **reads)

        reads = {"junctions": self.junctions} if with_reads else {}
        return self._kept("given with reads" if with_reads else "given", isoforms, write)

    def _kept(self, kind: str, isoforms: Mapping[str, Any] | None, write: Callable[[Path], None]) -> list[GeneModel]:
        generated = bool(isoforms) and isoforms["method"] == "generated"
        names = WRITER_FILES if generated else (RANKER_WEIGHTS, RANKER_CUTS)
        paths = [self.model.folder / name for name in names]
        made_with = [sha256_of(path) for path in paths if isoforms and path.is_file()]
        parts = [kind, model_hash(self.model.folder), self.species.fasta.parent.name, json.dumps(isoforms), *made_with]
        name = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
        folder = self.cache / f"{kind.replace(' ', '_')}_{name}"
        if not folder.is_dir():
            with atomic_path(folder) as scratch:
                scratch.mkdir(parents=True)
                write(scratch)
        return read_gff3(folder / "genes.gff3", self.species.contigs)
