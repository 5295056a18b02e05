"""A gene whose first transcript is given, with all that its further isoforms are written from."""

from __future__ import annotations

import math
from typing import NamedTuple

from phytoscribe.annotation.model import Transcript
from phytoscribe.decoding.isoform_edits import (
    Direction,
    FirstTranscript,
    Isoform,
    LocusWindow,
    NetworkOutput,
)
from phytoscribe.decoding.ranked_isoforms import Known
from phytoscribe.decoding.settings import DecoderSettings

#: Bases before and behind the first transcript in which sites are looked for.
REACH = 1000


class GivenGene(NamedTuple):
    """A first transcript and its surroundings, in the direction of transcription.

    Attributes:
        first: the transcript.
        structures: other structures by the lattice that lie in the window.
        window: what the network says from :data:`REACH` before the transcript to as far behind it.
        direction: to contig positions and back.
    """

    first: FirstTranscript
    structures: tuple[Isoform, ...]
    window: LocusWindow
    direction: Direction


def given_gene(known: Known, output: NetworkOutput, settings: DecoderSettings) -> GivenGene:
    """The surroundings of a first transcript.

    The window never reaches further from the CDS than untranslated regions may, so it does not depend on the pieces in
    which a contig arrives.
    """
    first, probabilities, structures = known
    start = min(first.start, max(first.start - REACH, first.cds[0][0] - settings.maximum_utr))
    end = max(first.end, min(first.end + REACH, first.cds[-1][1] + settings.maximum_utr))
    window, direction = output.window(first.strand, start, end, beside=0)
    own = FirstTranscript(direction.inward(first.exons), direction.inward(first.cds), *probabilities)
    inside = [t for t in structures if direction.start <= t.start and t.end <= direction.end]
    return GivenGene(own, tuple(_inward(t, direction) for t in inside), window, direction)


def _inward(transcript: Transcript, direction: Direction) -> Isoform:
    posterior = math.log(max(transcript.score or 0.0, 1e-9))
    return Isoform(direction.inward(transcript.exons), direction.inward(transcript.cds), posterior)
