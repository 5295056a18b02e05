"""What the folder of a genome's tracks holds, for the browsers that open it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from phytoscribe.tracks.indexed import index_of
from phytoscribe.tracks.kinds import COLOURS, KINDS, STRANDS

GENOME_FILE = "genome.fa.gz"
READS_FILE = "reads.bam"
#: Annotations by the name of their file, with the name that browsers show and a colour (red, green, blue).
ANNOTATIONS = {
    "reference": ("Reference annotation", (60, 60, 60)),
    "genes": ("PhytoScribe", (0, 110, 60)),
    "augustus": ("AUGUSTUS", (150, 90, 0)),
}
#: Bases that a browser shows at first.
FIRST_VIEW = 20_000


class AnnotationTrack(NamedTuple):
    """A GFF3 file and its index, by their names in the folder."""

    name: str
    file: str
    index: str

    @property
    def title(self) -> str:
        return ANNOTATIONS[self.name][0]

    @property
    def colour(self) -> tuple[int, int, int]:
        return ANNOTATIONS[self.name][1]


class ProbabilityTrack(NamedTuple):
    """A bigWig file, by its name in the folder."""

    kind: str
    strand: str

    @property
    def name(self) -> str:
        return f"{self.kind}_{STRANDS[self.strand]}"

    @property
    def file(self) -> str:
        return f"{self.name}.bw"

    @property
    def title(self) -> str:
        return f"{self.kind} ({self.strand})"

    @property
    def colour(self) -> tuple[int, int, int]:
        return COLOURS[self.strand]


@dataclass(frozen=True, slots=True)
class TrackFolder:
    """Names of all files that a browser shows, each in the folder itself.

    Attributes:
        genome: name of the genome.
        contigs: name to length of all contigs, in FASTA order.
        locus: contig, start and end that are shown at first, 0-based half-open.
        reads: index of the reads beside :data:`READS_FILE`, or None without reads.
    """

    genome: str
    contigs: Mapping[str, int]
    locus: tuple[str, int, int]
    annotations: tuple[AnnotationTrack, ...]
    probabilities: tuple[ProbabilityTrack, ...] = ()
    reads: str | None = None

    @classmethod
    def of(
        cls,
        folder: str | Path,
        genome: str,
        contigs: Mapping[str, int],
        predicted: Sequence[str],
        annotations: Sequence[str],
        with_probabilities: bool,
        with_reads: bool,
    ) -> TrackFolder:
        """The folder of a genome with these of its parts.

        Args:
            predicted: contigs whose genes were predicted; the longest one is shown at first.
            annotations: of :data:`ANNOTATIONS`.

        Raises:
            GffError: an annotation without an index.
        """
        longest = max(predicted, key=lambda name: contigs[name])
        middle, half = contigs[longest] // 2, FIRST_VIEW // 2
        return cls(
            genome,
            contigs,
            (longest, max(0, middle - half), min(contigs[longest], middle + half)),
            tuple(
                AnnotationTrack(name, f"{name}.gff3.gz", index_of(Path(folder) / f"{name}.gff3.gz").name)
                for name in ANNOTATIONS
                if name in annotations
            ),
            tuple(ProbabilityTrack(kind, strand) for kind in KINDS for strand in STRANDS) if with_probabilities else (),
            f"{READS_FILE}.csi" if with_reads else None,
        )
