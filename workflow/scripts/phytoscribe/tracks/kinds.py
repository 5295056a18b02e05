"""The probability tracks of a genome: what they show, their names and colours.

This module needs only the standard library, since the Snakemake rules import it for the names of files.
"""

from __future__ import annotations

from typing import NamedTuple

from phytoscribe.labels.states import CODING_STATES, INTRON_STATES


class TrackKind(NamedTuple):
    """What a track shows: the sum of the probabilities of some channels of one head.

    Attributes:
        name: what browsers list, and the start of the file's name.
        head: ``structure`` (log probabilities of states) or ``sites`` (probabilities of splice sites).
        channels: names of the head's channels: of :class:`~phytoscribe.labels.states.State`, or of :data:`SITES`.
    """

    name: str
    head: str
    channels: tuple[str, ...]


#: Channels of the head ``sites``, in their order.
SITES = ("donor", "acceptor")
#: All tracks, in the order in which browsers list them; a new one needs a line here.
TRACK_KINDS = (
    TrackKind("coding", "structure", tuple(state.name for state in CODING_STATES)),
    TrackKind("intron", "structure", (*(state.name for state in INTRON_STATES), "UTR5_INTRON", "UTR3_INTRON")),
    TrackKind("start", "structure", ("START",)),
    TrackKind("stop", "structure", ("STOP",)),
    TrackKind("donor", "sites", ("donor",)),
    TrackKind("acceptor", "sites", ("acceptor",)),
)
KINDS = tuple(kind.name for kind in TRACK_KINDS)
#: Strands, with the colours (red, green, blue) of their tracks.
STRANDS = {"+": "plus", "-": "minus"}
COLOURS = {"+": (31, 119, 180), "-": (214, 39, 40)}
#: Names of all tracks, which are those of their files: ``coding_plus``, ``coding_minus``, ``intron_plus``...
TRACKS = tuple(f"{kind}_{strand}" for kind in KINDS for strand in STRANDS.values())
#: Probabilities are kept in so many steps between 0 and 1.
LEVELS = 100
