"""The criteria once more, in the plainest way: sets of tuples, base by base, pair by pair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from phytoscribe.annotation.model import GeneModel, Interval, Transcript, introns_between
from phytoscribe.evaluation.accuracy.gene_matching import Agreement

FEATURES = ("cds_exon", "intron", "intron_chain", "start", "stop", "donor", "acceptor", "transcript")


def segments_of(transcript: Transcript, part: str) -> tuple[Interval, ...]:
    return transcript.cds if part == "cds" else transcript.exons


def features(genes: Iterable[GeneModel], part: str = "cds") -> dict[str, set[tuple]]:
    """Unique items of each level, with contig and strand."""
    found: dict[str, set[tuple]] = {level: set() for level in (*FEATURES, "base")}
    for gene in genes:
        place, forward = (gene.contig, gene.strand), gene.strand == "+"
        for transcript in gene.coding_transcripts:
            chain = segments_of(transcript, part)
            introns = introns_between(chain)
            found["transcript"].add((*place, chain))
            found["base"].update((*place, base) for start, end in chain for base in range(start, end))
            found["cds_exon"].update((*place, *segment) for segment in chain)
            if introns:
                found["intron_chain"].add((*place, introns))
            left, right = (*place, chain[0][0]), (*place, chain[-1][1] - 3)
            found["start"].add(left if forward else right)
            found["stop"].add(right if forward else left)
            for start, end in introns:
                found["intron"].add((*place, start, end))
                found["donor"].add((*place, start if forward else end - 2))
                found["acceptor"].add((*place, end - 2 if forward else start))
    return found


def agreements(
    reference: Sequence[GeneModel], predicted: Sequence[GeneModel], part: str = "cds"
) -> dict[str, Agreement]:
    """Agreement at every level."""
    truth, guess = features(reference, part), features(predicted, part)
    found = {}
    for level, items in truth.items():
        right = len(items & guess[level])
        found[level] = Agreement(right, len(guess[level]), right, len(items))
    found["locus"] = loci_within(reference, predicted, 0, part)
    return found


def loci_within(
    reference: Sequence[GeneModel], predicted: Sequence[GeneModel], tolerance: int, part: str = "cds"
) -> Agreement:
    """Loci of which a transcript has the introns of one of the other side, and ends within ``tolerance`` bp."""

    def near(gene: GeneModel, other: GeneModel) -> bool:
        if (gene.contig, gene.strand) != (other.contig, other.strand):
            return False
        pairs = [
            (segments_of(one, part), segments_of(two, part))
            for one in gene.coding_transcripts
            for two in other.coding_transcripts
        ]
        return any(
            introns_between(one) == introns_between(two)
            and abs(one[0][0] - two[0][0]) <= tolerance
            and abs(one[-1][1] - two[-1][1]) <= tolerance
            for one, two in pairs
        )

    return Agreement(
        sum(any(near(guess, truth) for truth in reference) for guess in predicted),
        len(predicted),
        sum(any(near(truth, guess) for guess in predicted) for truth in reference),
        len(reference),
    )
