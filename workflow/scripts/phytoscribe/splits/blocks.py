"""Blocks of chromosome dealt to training, validation and test, for what is learned of sequence and not of genes.

With ``split.mode: contig`` the contigs are the blocks, as the configuration names them; with ``cluster`` each contig is
cut into blocks of :data:`BLOCK` bases.  A genome of role validate or test is one part as a whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np

from phytoscribe.errors import ConfigError
from phytoscribe.splits.parts import (
    CLUSTER_MODE,
    PARTS,
    TEST,
    TRAIN,
    VALIDATE,
    PartInterval,
    Parts,
    complete_contig_parts,
    parts_of_genome,
)

BLOCK = 500_000


def block_parts(
    genome: str,
    contigs: Mapping[str, int],
    role: str,
    mode: str,
    contig_parts: Mapping[str, str],
    fractions: Mapping[str, float],
    seed: int,
) -> Parts:
    """The parts of a genome's sequence.

    Args:
        contigs: name to length in bases.
        contig_parts: with mode ``contig``, the part of the contigs that the configuration names.
        fractions: with mode ``cluster``, percent of the sequence in each part.

    Raises:
        ConfigError: the genome is too small to be dealt.
    """
    if role != TRAIN or mode != CLUSTER_MODE:
        named = complete_contig_parts(contigs, contig_parts, genome) if role == TRAIN else {}
        return parts_of_genome(None, genome, contigs, role, "contig", named, 0)
    blocks = [(name, edge) for name, length in contigs.items() for edge in _edges(length)]
    wanted = [part for part in PARTS if fractions[part] > 0]
    if len(blocks) < len(wanted):
        raise ConfigError(
            f"genomes[{genome}]: its sequence is dealt in blocks of {BLOCK} bases between {', '.join(wanted)}, and it "
            f"has only {len(blocks)}; use split.mode: contig, or more sequence"
        )
    dealt = _deal([end - start for _, (start, end) in blocks], fractions, seed)
    tiles: dict[str, list[PartInterval]] = {name: [] for name in contigs}
    for (name, (start, end)), part in zip(blocks, dealt, strict=True):
        last = tiles[name][-1] if tiles[name] else None
        if last and last.part == part:
            tiles[name][-1] = PartInterval(last.start, end, part)
        else:
            tiles[name].append(PartInterval(start, end, part))
    return Parts(tiles)


def _edges(length: int) -> list[tuple[int, int]]:
    """A contig in blocks of about equal size."""
    edges = np.linspace(0, length, max(1, round(length / BLOCK)) + 1).astype(int).tolist()
    return list(itertools.pairwise(edges))


def _deal(sizes: list[int], fractions: Mapping[str, float], seed: int) -> list[str]:
    """The part of each block: in random order to test, then validation, until each has its share, at least one."""
    order = np.random.default_rng([seed, 18]).permutation(len(sizes)).tolist()
    parts, total = [TRAIN] * len(sizes), sum(sizes)
    held_out = [part for part in (TEST, VALIDATE) if fractions[part] > 0]
    for number, part in enumerate(held_out):
        taken, left = 0, len(held_out) - number  # the parts that come after this one need a block each
        while len(order) > left and (not taken or taken < fractions[part] / 100 * total):
            block = order.pop()
            parts[block], taken = part, taken + sizes[block]
    return parts
