"""Clusters of homologous proteins over all genomes, by CD-HIT (Li and Godzik 2006, doi:10.1093/bioinformatics/btl158).

Identity is CD-HIT's global identity: identical residues over the length of the shorter protein.  Coverage is required
only of the shorter protein: a fragment or truncated gene model inside a longer homologue must stay on that homologue's
side of the split, which a coverage limit on the longer protein would not ensure.  Because identity is taken over the
full shorter length, one shared domain is not enough to join proteins.

Coverage is checked here, on the alignment span that CD-HIT prints (``-p 1``), and not with its option ``-aS``: for
about 5 % of pairs, such as two proteins that differ in their last residue, CD-HIT 4.8.1 finds the right identity but an
empty span (``1:1:1:1``; https://github.com/weizhongli/cdhit/issues/36), and with any ``-aS`` above 0 puts such
homologues into different clusters, which is leakage.  A pair with an empty span stays together.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from phytoscribe.errors import ConfigError, FastaError, ToolError
from phytoscribe.files import open_text, scratch_folder
from phytoscribe.programs import require, run
from phytoscribe.splits import LOWEST_IDENTITY, largest_word_size
from phytoscribe.splits.table import CLUSTER_COLUMNS

logger = logging.getLogger(__name__)

_MEMBER = re.compile(
    r"^\d+\t(?P<length>\d+)aa, >(?P<name>\S+)\.\.\. "
    r"(?:\*|at (?P<start>\d+):(?P<end>\d+):\d+:\d+/(?P<identity>[\d.]+)%)$"
)


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Settings of CD-HIT.

    Attributes:
        identity: lowest identity to the representative, 0.4 to 1.
        coverage: lowest part of the shorter protein inside the alignment, 0 to 1.
        word_size: length of the words used to find candidates.
    """

    identity: float = 0.5
    coverage: float = 0.8
    word_size: int = 3

    def __post_init__(self) -> None:
        if not min(LOWEST_IDENTITY.values()) <= self.identity <= 1:
            raise ConfigError(f"split.identity: {self.identity} is not in 0.4..1, the range of CD-HIT")
        if not 0 <= self.coverage <= 1:
            raise ConfigError(f"split.coverage: {self.coverage} is not in 0..1")
        if self.word_size not in LOWEST_IDENTITY:
            raise ConfigError(f"split.word_size: {self.word_size} is not one of 2, 3, 4, 5")
        if self.identity < LOWEST_IDENTITY[self.word_size]:
            raise ConfigError(
                f"split.word_size: words of {self.word_size} suit an identity of {LOWEST_IDENTITY[self.word_size]} and "
                f"more in CD-HIT, but split.identity is {self.identity}; use a word size of "
                f"{largest_word_size(self.identity)}"
            )


def read_proteins(paths: Iterable[str | Path]) -> list[tuple[str, str]]:
    """(id, sequence) records of several FASTA files, in their order.

    Raises:
        FastaError: an id is used twice or missing, or there is text before the first header.
    """
    sequences: dict[str, list[str]] = {}
    for path in paths:
        lines: list[str] | None = None
        with open_text(path) as handle:
            for number, line in enumerate(handle, start=1):
                if line.startswith(">"):
                    name = next(iter(line[1:].split(maxsplit=1)), "")
                    if not name:
                        raise FastaError(f"{path}, line {number}: a '>' header without a name; give the protein one")
                    if name in sequences:
                        raise FastaError(f"{path}, line {number}: protein {name!r} was read before")
                    lines = sequences[name] = []
                elif lines is None:
                    raise FastaError(f"{path}, line {number}: text before the first '>' header")
                else:
                    lines.append(line.strip())
    return [(name, "".join(lines)) for name, lines in sequences.items()]


def cluster_proteins(
    proteins: Sequence[tuple[str, str]], settings: ClusterSettings, threads: int = 1, memory_mb: int = 4000
) -> pd.DataFrame:
    """Cluster proteins of all genomes together.

    Args:
        proteins: (id, sequence) records; ids are unique and free of white space.
        settings: identity, coverage and word size.
        threads, memory_mb: what CD-HIT may use; the result does not depend on them.

    Returns:
        Columns :data:`~phytoscribe.splits.table.CLUSTER_COLUMNS`, rows in the order of ``proteins``; clusters are
        numbered from 0 in order of their first member there.

    Raises:
        ToolError: cd-hit is missing or failed.
    """
    if not proteins:
        return pd.DataFrame({column: [] for column in CLUSTER_COLUMNS})
    members: dict[str, Member] = {}
    # CD-HIT takes equally long proteins in the order of its input: by id, the order of genomes does not matter.
    remaining = sorted(proteins)
    while remaining:
        with scratch_folder("phytoscribe-cdhit-") as folder:
            source, target = folder / "proteins.faa", folder / "clusters"
            source.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in remaining), encoding="ascii")
            _run_cd_hit(source, target, settings, threads, memory_mb)
            found = parse_clstr(target.with_suffix(".clstr"))
        found |= _too_short_for_words(remaining, found)
        members |= {name: member for name, member in found.items() if member.coverage >= settings.coverage}
        # What covers too little of itself is clustered again, without the representatives: every round is smaller.
        remaining = [record for record in remaining if record[0] not in members]
    found = [(name, members[name].representative, members[name].identity) for name, _ in proteins]
    table = pd.DataFrame(found, columns=["protein", "representative", "identity"])
    table["cluster"] = pd.factorize(table["representative"])[0]
    logger.info("%d proteins in %d clusters", len(table), table["cluster"].nunique())
    return table[list(CLUSTER_COLUMNS)]


@dataclass(frozen=True, slots=True)
class Member:
    """A protein's place in a clustering.

    Attributes:
        representative: id of the cluster's longest protein.
        identity: to the representative, in percent.
        coverage: part of this protein, the shorter one, inside their alignment; 1 where CD-HIT gives an empty span.
    """

    representative: str
    identity: float = 100.0
    coverage: float = 1.0


def parse_clstr(path: str | Path) -> dict[str, Member]:
    """Members of a ``.clstr`` file written by CD-HIT with ``-p 1``, by protein id.

    Raises:
        ToolError: a line cannot be read, or a cluster does not have exactly one representative.
    """
    clusters: list[list[re.Match[str]]] = []
    with Path(path).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.startswith(">Cluster "):
                clusters.append([])
                continue
            match = _MEMBER.match(line.rstrip("\n"))
            if match is None or not clusters:
                raise ToolError(f"{path}: line {number} is no CD-HIT cluster member: {line.rstrip()!r}")
            clusters[-1].append(match)
    members: dict[str, Member] = {}
    for number, cluster in enumerate(clusters):
        representatives = [match["name"] for match in cluster if match["identity"] is None]
        if len(representatives) != 1:
            raise ToolError(f"{path}: cluster {number} has {len(representatives)} representatives")
        members.update((match["name"], _member(match, representatives[0])) for match in cluster)
    return members


def _member(match: re.Match[str], representative: str) -> Member:
    if match["identity"] is None:
        return Member(representative)
    start, end = int(match["start"]), int(match["end"])  # 1-based, closed
    coverage = (end - start + 1) / int(match["length"]) if end > start else 1.0
    return Member(representative, float(match["identity"]), coverage)


def _run_cd_hit(source: Path, target: Path, settings: ClusterSettings, threads: int, memory_mb: int) -> None:
    command = [require("cd-hit", "grouping homologous proteins"), "-i", source, "-o", target]
    command += ["-c", settings.identity, "-n", settings.word_size]
    # -g 1: the best cluster, not the first; -p 1: print the aligned span; -d 0: whole names;
    # -l: CD-HIT leaves out proteins up to this length.
    command += ["-g", 1, "-p", 1, "-d", 0, "-l", settings.word_size + 1]
    run([*command, "-T", threads, "-M", memory_mb])


def _too_short_for_words(proteins: Sequence[tuple[str, str]], members: Mapping[str, Member]) -> dict[str, Member]:
    """Proteins that CD-HIT left out because they are shorter than its words: equal sequences share a cluster."""
    left_out = [(name, sequence) for name, sequence in proteins if name not in members]
    longest = max((len(sequence) for _, sequence in left_out), default=0)
    if longest > max(LOWEST_IDENTITY) + 1:
        raise ToolError(f"cd-hit: {len(left_out)} proteins are in no cluster, one of them of {longest} residues")
    first: dict[str, str] = {}
    for name, sequence in left_out:
        first.setdefault(sequence, name)
    return {name: Member(first[sequence]) for name, sequence in left_out}
