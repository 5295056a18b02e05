"""The probability tracks of a genome: what they show, and their names."""

from __future__ import annotations

#: What a track shows, in the order in which browsers list them.
KINDS = ("coding", "intron", "start", "stop", "donor", "acceptor")
STRANDS = {"+": "plus", "-": "minus"}
#: Names of all tracks, which are those of their files: ``coding_plus``, ``coding_minus``, ``intron_plus``...
TRACKS = tuple(f"{kind}_{strand}" for kind in KINDS for strand in STRANDS.values())
#: Probabilities are kept in so many steps between 0 and 1.
LEVELS = 100
