"""Whether the junctions of a file lie where the network sees splice sites (rule judge_evidence).

A file can belong to the genome and still be wrong: reads of another accession or species, poor alignments, another
assembly with the same names.  Its well supported introns then lie at places that are no more like splice sites to the
network than any other GT or AG nearby.  The place among those nearby is looked at, not the probability itself, because
the network is less sure in species far from its training, and still ranks true sites first.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from phytoscribe.decoding.grammar import A, C, G, T
from phytoscribe.devices import choose_device
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.junction_table import EvidenceFile, read_gathered, write_table
from phytoscribe.genome.sequence import Bases
from phytoscribe.labels.states import ACCEPTOR, DONOR
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.windows import PredictionSettings, Table

log = logging.getLogger(__name__)

#: The network reads so many stretches of so many bp; more than a megabase would tell no more.
STRETCHES, STRETCH = 48, 20_000
#: A splice site is compared with the GT or AG up to so many bp away on its strand.
NEARBY = 1000
#: A site agrees if at most this share of them is more probable.
BEST = 0.1
#: Fewer introns than these judge no file.
LEAST_JUDGED = 50
#: Least share of a file's well supported introns that agree at both ends.  On the validation contigs of *A. thaliana*
#: it is 0.96 with all RNA-seq reads, 0.94 with a thousandth of them; 0.69 with three of ten junctions at wrong places,
#: when the prediction is still better than from DNA alone; 0.61 with shuffled counts, when it is worse
#: (benchmarks/evidence.md).
LEAST_AGREEING = 0.65
#: First and last two bases of an intron in the contig's orientation, by its strand.
_ENDS = {"+": ((G, T), (A, G)), "-": ((C, T), (A, C))}


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many well supported introns of a file were looked at, and how many the network agrees with."""

    judged: int = 0
    agreeing: int = 0

    @property
    def share(self) -> float:
        return self.agreeing / max(1, self.judged)

    def __str__(self) -> str:
        return f"the network sees splice sites at {self.agreeing} of {self.judged} well supported introns"


def judge_evidence(
    gathered: str | Path,
    fasta: str | Path,
    model_folder: Path,
    settings: PredictionSettings,
    species: str,
    lineage: str,
    table: str | Path,
    strict: bool = True,
    judge: bool = True,
    threads: int = 1,
) -> list[str]:
    """Write the junctions of the files that agree with the network.

    Args:
        gathered: of rule gather_evidence (:func:`phytoscribe.genome.junction_table.read_gathered`).
        fasta: the indexed genome.
        settings, species, lineage: with which the genome is predicted.
        table: written; junctions of all files that are used, added up.
        strict: whether a file that disagrees is an error; else it is left out.
        judge: whether files are compared with the network at all.

    Returns:
        Warnings, one for each file that was left out.

    Raises:
        PhytoScribeError: a file disagrees, and ``strict``.
    """
    files, rows = read_gathered(gathered)
    warnings = []
    with Genome(fasta) as genome:
        counted: dict[int, Agreement] = {}
        if judge and len(rows):
            device = choose_device("cpu")
            predictor = StructurePredictor.from_folder(model_folder, settings, device, species, lineage, threads)
            counted = agreement(rows, genome, predictor)
        for number, agrees in counted.items():
            file = files[number - 1]
            log.info("%s: %s", file.file, agrees)
            if agrees.judged < LEAST_JUDGED or agrees.share >= LEAST_AGREEING:
                continue
            reason = (
                f"only {100 * agrees.share:.0f} % of its well supported introns begin and end where the network sees "
                f"splice sites ({agrees.judged} were looked at; {100 * LEAST_AGREEING:.0f} % are needed), so its reads "
                "are of another accession or species, or are aligned badly; align reads of this genome to this FASTA"
            )
            if strict:
                raise PhytoScribeError(
                    f"{file.file}: {reason} (or set strict: false to go on without this file, or judge: false to use "
                    "it as it is)"
                )
            warnings.append(f"evidence is left out: {file.file}: {reason}")
            files[number - 1] = EvidenceFile(file.file, file.sha256, left_out=reason)
            rows = rows[rows["file"] != number]
        total = rows.groupby(["contig", "strand", "start", "end"], sort=False)["reads"].sum()
        junctions = {(contig, strand, (start, end)): int(n) for (contig, strand, start, end), n in total.items()}
        write_table(table, files, junctions, genome.contigs)
    return warnings


def agreement(rows: pd.DataFrame, genome: Genome, predictor: StructurePredictor) -> dict[int, Agreement]:
    """The agreement of each file whose junctions are in ``rows`` (columns GATHERED), on the same stretches."""
    average = rows.groupby("file")["reads"].transform("mean")
    strong = rows[rows["reads"] >= average]
    found = dict.fromkeys(rows["file"].unique().tolist(), Agreement())
    for contig, start in stretches(strong):
        first, last = max(0, start - NEARBY), min(genome.contigs[contig], start + STRETCH + NEARBY)
        inside = strong[(strong["contig"] == contig) & (strong["start"] >= start) & (strong["end"] <= last - NEARBY)]
        bases = genome.bases(contig, first, last)
        sites = dict(zip("+-", predictor.site_probabilities(bases), strict=True))
        for strand, own in inside.groupby("strand"):
            seen = agreeing(
                bases, sites[strand], strand, own["start"].to_numpy() - first, own["end"].to_numpy() - first
            )
            for number, answers in seen.groupby(own["file"].to_numpy()):
                judged = answers.dropna()
                old = found[number]
                found[number] = Agreement(old.judged + judged.size, old.agreeing + int(judged.sum()))
    return found


def stretches(rows: pd.DataFrame) -> list[tuple[str, int]]:
    """Contig and start of the stretches that the network reads: those of junctions evenly spread over all."""
    places = list(dict.fromkeys(zip(rows["contig"], rows["start"] // STRETCH * STRETCH, strict=True)))
    chosen = np.unique(np.linspace(0, len(places) - 1, min(STRETCHES, len(places))).round().astype(int))
    return [places[k] for k in chosen.tolist()]


def agreeing(bases: Bases, sites: Table, strand: str, starts: npt.NDArray, ends: npt.NDArray) -> pd.Series:
    """For each intron whether the network sees splice sites at both ends; missing for introns other than GT-AG.

    Args:
        sites: probabilities of one strand's donors and acceptors, (length, 2), contig orientation.
        starts, ends: cuts of introns of that strand.
    """
    (opening, closing), columns = _ENDS[strand], (DONOR, ACCEPTOR) if strand == "+" else (ACCEPTOR, DONOR)
    answers = np.ones(starts.size, bool)
    looked_at = np.ones(starts.size, bool)
    # The base of the intron beside its cut; the pair of bases of an end begins there, or one before.
    for (one, two), at, back, column in ((opening, starts, 0, columns[0]), (closing, ends - 1, 1, columns[1])):
        places = np.flatnonzero((bases[:-1] == one) & (bases[1:] == two)) + back
        probability = sites[:, column].astype(np.float32)
        looked_at &= np.isin(at, places)
        for k, place in enumerate(at.tolist()):
            near = places[slice(*np.searchsorted(places, (place - NEARBY, place + NEARBY)))]
            better = probability[near] > probability[place]
            answers[k] &= near.size > 0 and better.mean() <= BEST
    return pd.Series(np.where(looked_at, answers.astype(float), np.nan))
