"""Propose the FASTA sequence that an unknown name in the annotation stands for, if it is evident.

Names are compared by meaning, not spelling: a chromosome or scaffold number, an accession, or an organelle.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from phytoscribe.annotation.feature_types import SEQUENCE_TYPES
from phytoscribe.annotation.gff_text import decode_id, numbered_lines
from phytoscribe.genome.intervals import is_coordinate
from phytoscribe.genome.names import organelle_of, shown

#: Kind of a sequence and its number, letter or accession, such as ``("chromosome", "1")``.
Meaning = tuple[str, str]

_ACCESSION = re.compile(r"([A-Z]{1,6}_?\d{5,})(?:\.\d+)?")
_NUMBER = r"[_.\- ]?0*(\d+[A-Za-z]?|[A-Za-z]0*\d+|[XYUVWZxyuvwz])"
_KINDS = {
    "chromosome": re.compile(
        rf"(?:.*[_.\-|])?(?:[A-Z]{{2}}\d[\d.]*)?(?:chromosome|chrom|chr|ch|lg|linkage_?group){_NUMBER}"
    ),
    "scaffold": re.compile(r"(?:.*[_.\-|])?(?:scaffold|scaff|scf|super_?contig|super)[_.\- ]?0*(\d+)"),
    "contig": re.compile(r"(?:.*[_.\-|])?(?:contig|ctg|tig)[_.\- ]?0*(\d+)"),
}
_BARE = re.compile(r"0*(\d+[A-Za-z]?|[A-Z]0*\d+|[XY])")
_PREFIXED = re.compile(r"([A-Za-z][A-Za-z_.\-]*?)[_.\-]?0*(\d+)")


def canonical_names(names: Iterable[str]) -> dict[str, Meaning | None]:
    """The meaning of each name, or None; names with equal meanings denote one sequence.

    Chr1, chr01, 1, LG1 and SL4.0ch01 are chromosome 1; scaffolds and contigs are numbered separately.  A species' own
    prefix (Gm01, Bd1) means chromosome if all such names share it and no other name is a chromosome.
    """
    meanings: dict[str, Meaning | None] = {name: _meaning(name) for name in names}
    if not any(meaning and meaning[0] == "chromosome" for meaning in meanings.values()):
        prefixed = {name: found for name, m in meanings.items() if m is None and (found := _PREFIXED.fullmatch(name))}
        if len({found.group(1) for found in prefixed.values()}) == 1:
            meanings.update({name: ("chromosome", found.group(2)) for name, found in prefixed.items()})
    return meanings


def _meaning(name: str) -> Meaning | None:
    last = next((part for part in reversed(name.split("|")) if part), name).strip()
    organelle = organelle_of(last)
    if organelle:
        return "organelle", organelle
    accession = _ACCESSION.fullmatch(last)
    if accession:
        return "accession", accession.group(1)
    bare = _BARE.fullmatch(last)
    if bare:
        return "chromosome", _number(bare.group(1))
    for kind, pattern in _KINDS.items():
        found = pattern.fullmatch(last) or pattern.fullmatch(last.lower())
        if found:
            return kind, _number(found.group(1))
    return None


def _number(text: str) -> str:
    """A01 and a1 are A1."""
    return re.sub(r"(?<=[A-Z])0+(?=\d)", "", text.upper())


#: Feature types that stand for a whole sequence if they start at 1.
_WHOLE_SEQUENCE = SEQUENCE_TYPES | {"plastid", "mitochondrion", "chloroplast"}
_ALIAS_KEYS = ("Alias", "chromosome", "Name", "genome", "ID")
#: Letters of the longest name that is worth a proposal.
_LONGEST_NAME = 200
#: A contig fits a name whose last feature ends at most this share of the contig before its end.
_TAIL = 0.01


@dataclass(slots=True)
class Seen:
    """What an annotation file says about one of its sequences.

    Attributes:
        line: first line with a feature on it; 0 if there is none.
        end: largest end of its features, 1-based closed.
        length: from ``##sequence-region`` or a line for the whole sequence; None where the file says nothing.
        aliases: other names in such a line.
    """

    line: int = 0
    end: int = 0
    length: int | None = None
    aliases: list[str] = field(default_factory=list)


def sequences_of(path: str | Path) -> dict[str, Seen]:
    """Sequences of a GFF3 or GTF file, plain or gzipped, in the order of their first mention.

    Malformed lines are skipped here: the reader reports them.

    Raises:
        GffError: see :func:`phytoscribe.annotation.gff_text.numbered_lines`.
    """
    found: dict[str, Seen] = defaultdict(Seen)
    for number, line in numbered_lines(path):
        if line.startswith("#"):
            words = line.split()
            if len(words) == 4 and words[0] == "##sequence-region" and words[2] == "1" and is_coordinate(words[3]):
                found[decode_id(words[1])].length = int(words[3])
            continue
        columns = line.split("\t", 5)
        if len(columns) != 6 or not is_coordinate(columns[4]):
            continue
        seen = found[decode_id(columns[0])]
        seen.line = seen.line or number
        seen.end = max(seen.end, int(columns[4]))
        if columns[3] == "1" and columns[2].lower() in _WHOLE_SEQUENCE:
            seen.length = int(columns[4])
            seen.aliases += _aliases(columns[5])
    return dict(found)


def _aliases(rest: str) -> list[str]:
    attributes = dict(part.partition("=")[::2] for part in rest.rpartition("\t")[2].split(";"))
    values = [decode_id(value) for key in _ALIAS_KEYS for value in attributes.get(key, "").split(",") if value]
    return [value.removeprefix("chromosome:").strip() for value in values]


class Proposal(NamedTuple):
    """A target for one name (None: leave the sequence out), and why."""

    target: str | None
    why: str


def propose_mapping(
    seen: Mapping[str, Seen], contigs: Mapping[str, int], seqid_map: Mapping[str, str | None] | None = None
) -> dict[str, Proposal]:
    """Propose targets for unknown names of an annotation, if exactly one contig fits and nothing contradicts it.

    Evidence is another name in the file itself, the same chromosome number or accession, or a declared length that only
    one contig has; if there is none, that the last feature ends in the last 1 % of only one contig.  A contig that is
    shorter than the last feature, or differs from the declared length, is not a candidate.  There is no proposal if two
    kinds of evidence point to different contigs, or two names to one contig.

    Args:
        seen: sequences of the annotation.
        contigs: name to length, of the FASTA.
        seqid_map: the mapping in force; its targets are taken.
    """
    known = seqid_map or {}
    resolved = {name: known.get(name, name) for name in seen}
    unknown = {
        name: seen[name]
        for name, target in resolved.items()
        if target is not None and target not in contigs and len(name) <= _LONGEST_NAME
    }
    taken = set(resolved.values())
    free = {name: length for name, length in contigs.items() if name not in taken}
    chosen = _one_to_one(_by_name_and_length(unknown, free, contigs))
    used = {proposal.target for proposal in chosen.values()}
    chosen |= _one_to_one(
        _by_last_feature(
            {name: item for name, item in unknown.items() if name not in chosen},
            {name: length for name, length in free.items() if name not in used},
        )
    )
    there = {organelle_of(contig) for contig in contigs}
    for name, item in unknown.items():
        organelle = next(filter(None, map(organelle_of, (name, *item.aliases))), None)
        if organelle and name not in chosen and organelle not in there:
            chosen[name] = Proposal(None, f"{organelle}, not in the FASTA: left out")
    return {name: chosen[name] for name in unknown if name in chosen}


def _by_name_and_length(
    unknown: Mapping[str, Seen], free: Mapping[str, int], contigs: Mapping[str, int]
) -> dict[str, Proposal]:
    own = canonical_names(unknown)
    other = canonical_names(alias for item in unknown.values() for alias in item.aliases)
    # Meanings of all contigs, taken ones too: they decide what a prefix stands for.
    of_meaning = _grouped((meaning, name) for name, meaning in canonical_names(contigs).items() if name in free)
    of_length = _grouped((length, name) for name, length in free.items())
    chosen = {}
    for name, item in unknown.items():
        evidence = {
            "the file calls it so": [alias for alias in item.aliases if alias in free],
            "the file gives this number": [name for alias in item.aliases for name in of_meaning.get(other[alias], ())],
            "the same name, spelt differently": of_meaning.get(own[name], []),
            "the same length": of_length.get(item.length, []),
        }
        sure = {}
        for why, found in evidence.items():
            fitting = {target for target in found if _fits(item, free[target])}
            if len(fitting) == 1:
                sure[why] = fitting.pop()
        if len(set(sure.values())) == 1:
            chosen[name] = Proposal(*next((target, why) for why, target in sure.items()))
    return chosen


def _by_last_feature(unknown: Mapping[str, Seen], free: Mapping[str, int]) -> dict[str, Proposal]:
    chosen = {}
    for name, item in unknown.items():
        near = [contig for contig, length in free.items() if item.end <= length and length * (1 - _TAIL) <= item.end]
        if item.length is None and len(near) == 1:
            chosen[name] = Proposal(near[0], "the only contig that ends just behind its last feature")
    return chosen


def _fits(item: Seen, length: int) -> bool:
    return item.end <= length and item.length in (None, length)


def _grouped(pairs: Iterable[tuple[Hashable, str]]) -> dict[Hashable, list[str]]:
    groups: dict[Hashable, list[str]] = defaultdict(list)
    for key, name in pairs:
        if key is not None:
            groups[key].append(name)
    return groups


def _one_to_one(chosen: Mapping[str, Proposal]) -> dict[str, Proposal]:
    claims = Counter(proposal.target for proposal in chosen.values())
    return {name: proposal for name, proposal in chosen.items() if claims[proposal.target] == 1}


def length_conflicts(seen: Mapping[str, Seen], contigs: Mapping[str, int]) -> list[str]:
    """Sentences about names that match a contig by spelling but not by length."""
    of_meaning = _grouped((meaning, name) for name, meaning in canonical_names(contigs).items())
    conflicts = []
    for name, meaning in canonical_names(seen).items():
        targets = of_meaning.get(meaning, ()) if name not in contigs else ()
        if len(targets) == 1 and not _fits(seen[name], contigs[targets[0]]):
            reach = f"is {seen[name].length} long" if seen[name].length else f"has features up to {seen[name].end}"
            conflicts.append(f"{shown(name)} {reach}, but {shown(targets[0])} has {contigs[targets[0]]} bases")
    return conflicts
