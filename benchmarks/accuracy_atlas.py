"""Wrong genes written out for a person to read: their place, both chains, and what the model thought of each site."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from accuracy_measure import Measured
from accuracy_models import Model
from gene_scores import GeneError

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.accuracy.error_classes import ErrorClass
from phytoscribe.evaluation.accuracy.splice_sites import ACCEPTOR, DONOR
from phytoscribe.files import atomic_open
from phytoscribe.genome.fasta import Genome
from phytoscribe.labels.states import State


def write_atlas(path: Path, done: Measured, model: Model, number: int) -> None:
    """Describe ``number`` wrong genes of a set, spread evenly over classes, contigs and positions."""
    lost, wrong = done.wrong[model.name]
    chosen = spread([*lost, *(error for error in wrong if not error.partners)], number)
    predictor, last = model.predictor(done.entry), None
    with Genome(done.species.fasta) as genome, atomic_open(path) as handle:
        handle.write(_HEAD.format(title=done.entry.title.replace("*", ""), part=done.part, number=len(chosen)))
        for count, error in enumerate(sorted(chosen, key=lambda e: (e.gene.contig, e.gene.start)), start=1):
            if error.gene.contig != last:
                last = error.gene.contig
                bases = genome.bases(last)
                states, sites = predictor.log_probabilities(bases), predictor.site_probabilities(bases)
            strand = int(error.gene.strand == "-")
            handle.write(f"\n## {count}. {error.error}\n")
            handle.writelines(f"{line}\n" for line in describe(error, states[strand], sites[strand]))


_HEAD = """Wrong genes of {title}, part {part}: {number} of them, spread evenly over classes and positions.
Coordinates are 1-based and inclusive. A site's line says which chain has it (R reference, P prediction), its place, and
the probability that the model gives this base: that of the site head for a donor (first base of the intron) and an
acceptor (last base of the intron), that of the state START (first base of ATG) or STOP (last base of the stop codon).
"""


def spread(errors: Sequence[GeneError], number: int) -> list[GeneError]:
    """At most ``number`` errors, evenly spaced in the order of class, contig and position."""
    rank = {error: index for index, error in enumerate(ErrorClass)}
    ordered = sorted(errors, key=lambda e: (rank[e.error], e.gene.contig, e.gene.start))
    if len(ordered) <= number:
        return ordered
    return [ordered[int((index + 0.5) * len(ordered) / number)] for index in range(number)]


def describe(error: GeneError, states: np.ndarray, sites: np.ndarray) -> Iterator[str]:
    """Lines on one wrong gene.

    Args:
        states: log probabilities (length, STATE_COUNT) of its strand, contig orientation.
        sites: probabilities (length, 2) of its strand, contig orientation.
    """
    gene = error.gene
    reference, predicted = ([gene], error.partners) if not error.is_prediction else (error.partners, [gene])
    yield f"{gene.contig}:{gene.start + 1}-{gene.end} {gene.strand}"
    for label, genes in (("R", reference), ("P", predicted)):
        for one in genes:
            score = "" if one.score is None else f"  score {one.score:.3f}"
            yield f"  {label} {one.id}{score}"
            for transcript in one.coding_transcripts:
                chain = ", ".join(f"{start + 1}-{end}" for start, end in transcript.cds)
                yield f"    {transcript.id}: {chain}"
                posteriors = (f"{key} {value}" for key, value in transcript.attributes.items() if "probabilit" in key)
                yield from (f"      {text}" for text in posteriors)
    marks: dict[tuple[int, str], set[str]] = {}
    for label, genes in (("R", reference), ("P", predicted)):
        for one in genes:
            for transcript in one.coding_transcripts:
                for place in _sites(one, transcript):
                    marks.setdefault(place, set()).add(label)
    for (place, kind), labels in sorted(marks.items(), reverse=gene.strand == "-"):
        shown = "".join(label if label in labels else "." for label in "RP")
        yield f"    {shown} {kind:9}{place + 1:>10}  {_probability(place, kind, states, sites):.3f}"


def _sites(gene: GeneModel, transcript: Transcript) -> Iterator[tuple[int, str]]:
    """Base and kind of every end of a CDS chain: the base that the model's probability is read at."""
    forward = gene.strand == "+"
    first, last = transcript.cds[0][0], transcript.cds[-1][1] - 1
    yield (first if forward else last), "start"
    yield (last if forward else first), "stop"
    for start, end in transcript.cds_introns:
        yield (start if forward else end - 1), "donor"
        yield (end - 1 if forward else start), "acceptor"


def _probability(place: int, kind: str, states: np.ndarray, sites: np.ndarray) -> float:
    if kind in ("donor", "acceptor"):
        return float(sites[place, DONOR if kind == "donor" else ACCEPTOR])
    return float(np.exp(states[place, State.START if kind == "start" else State.STOP]))
