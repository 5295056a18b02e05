"""Sequence names in the annotation and in the FASTA, and the mapping between them.

Annotations of one assembly may call its first chromosome Chr1, chr1, 1, Chr01, CM000001.1 or NC_003070.9.  Names are
never guessed: for an unknown name the message proposes a mapping, and the user decides.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

from phytoscribe.annotation.seqid_proposal import (
    Proposal,
    canonical_names,
    length_conflicts,
    propose_mapping,
    sequences_of,
)
from phytoscribe.errors import ConfigError
from phytoscribe.files import open_text
from phytoscribe.genome.names import shown, some_names

log = logging.getLogger(__name__)

SeqidMap = Mapping[str, str | None]

#: Lines of a proposed mapping that a message shows; the log has them all.
_SHOWN_LINES = 60
_some = partial(some_names, limit=8)
_PLAIN_YAML = re.compile(r"[A-Za-z_][\w.\-]*\Z", re.ASCII)
_YAML_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def read_seqid_map(value: SeqidMap | str | None) -> dict[str, str | None]:
    """Read the mapping from names in the annotation to names in the FASTA; None leaves a sequence out.

    Args:
        value: the configuration's ``seqid_map``: a mapping, or the path of a tab-separated table with two columns (name
            in the annotation, name in the FASTA; an empty second column leaves the sequence out).  Blank lines and
            lines with ``#`` are skipped.

    Raises:
        ConfigError: a line does not have two columns, a name is empty, or one name has two targets.
        PhytoScribeError: the table cannot be read.
    """
    if value is None:
        return {}
    mapping: dict[str, str | None] = {}
    # YAML reads the name 1 as a number.
    given = () if isinstance(value, str) else value.items()
    items = (("seqid_map", str(name), None if target is None else str(target)) for name, target in given)
    for where, name, target in _table_rows(value) if isinstance(value, str) else items:
        if not name or target == "":
            raise ConfigError(f"{where}: a name is empty; write null to leave a sequence out")
        if mapping.setdefault(name, target) != target:
            raise ConfigError(f"{where}: {name!r} is mapped to {mapping[name]!r} and to {target!r}; keep one of them")
    return mapping


def _table_rows(path: str) -> Iterator[tuple[str, str, str | None]]:
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            text = line.rstrip("\r\n")
            if not text.strip() or text.startswith("#"):
                continue
            columns = [column.strip() for column in text.split("\t")]
            if len(columns) != 2:
                raise ConfigError(
                    f"{path}, line {number}: {len(columns)} columns; a seqid_map has two, divided by one tab: name in "
                    "the annotation, name in the FASTA (empty: leave the sequence out)"
                )
            yield f"{path}, line {number}", columns[0], columns[1] or None


def check_seqid_map(path: str | Path, contigs: Mapping[str, int], seqid_map: SeqidMap) -> None:
    """Refuse a mapping that would put genes on a wrong sequence; names missing from the file are logged.

    Two names in the annotation may map to one sequence only if they are spellings of one name (``Chr1`` and ``1``, an
    accession with and without version), as in files joined from two sources.

    Raises:
        ConfigError: a target is not in the FASTA, or two different names become one sequence.
    """
    if not seqid_map:
        return
    for name, target in seqid_map.items():
        if target is not None and target not in contigs:
            raise ConfigError(
                f"seqid_map: {name!r} is mapped to {target!r}, which is not in the genome FASTA, whose names are "
                f"{_some(contigs)}"
            )
    present = [name for name, seen in sequences_of(path).items() if seen.line]
    meanings = canonical_names(present)
    sources: dict[str, str] = {}
    for name in present:
        target = seqid_map.get(name, name)
        other = name if target is None else sources.setdefault(target, name)
        if other != name and (meanings[name] is None or meanings[name] != meanings[other]):
            raise ConfigError(
                f"seqid_map: {other!r} and {name!r} of {path} would both become {target!r}; only two spellings of one "
                "name (Chr1 and 1) may: correct the mapping"
            )
    missing = [name for name in seqid_map if name not in meanings]
    if missing:
        log.warning("seqid_map: %s has no feature on %s", path, _some(missing))
    log.info(
        "seqid_map: %d of %d sequences of %s renamed or left out", len(seqid_map) - len(missing), len(present), path
    )


def unknown_sequence_message(path: str | Path, contigs: Mapping[str, int], seqid_map: SeqidMap | None = None) -> str:
    """The message for an annotation that names sequences missing from the FASTA.

    All of column 1 is read, so that one message lists the names on both sides, and the mapping that is evident (see
    :func:`phytoscribe.annotation.seqid_proposal.propose_mapping`) as YAML for the configuration.
    """
    known = dict(seqid_map or {})
    seen = {name: item for name, item in sequences_of(path).items() if item.line}
    unknown = [name for name in seen if known.get(name, name) is not None and known.get(name, name) not in contigs]
    if not unknown:
        return f"{path}: all its {len(seen)} sequence names are in the genome FASTA"
    first = unknown[0]
    subject = f"the sequence {shown(first)}"
    if first in known:
        subject = f"{shown(known[first])} (seqid_map's name for {shown(first)})"
    text = (
        f"{path}, line {seen[first].line}: {subject} is not in the genome FASTA.\n"
        f"  annotation: {_counted(seen)}, {len(unknown)} of them not in the FASTA: {_some(unknown)}\n"
        f"  FASTA: {_counted(contigs)}: {_some(contigs)}\n"
    )
    proposals = propose_mapping(seen, contigs, known)
    if proposals:
        kept = {name: Proposal(target, "") for name, target in known.items() if name not in unknown}
        lines = _as_yaml({**kept, **proposals})
        log.info("proposed mapping:\n%s", "\n".join(lines))
        if len(lines) > _SHOWN_LINES:
            lines = [*lines[:_SHOWN_LINES], "  # ... (the rest is in the log)"]
        text += "Proposed, if both are of the same assembly; add it to this genome in the configuration:\n"
        text += "".join(f"  {line}\n" for line in lines)
    rest = [name for name in unknown if name not in proposals]
    conflicts = length_conflicts({name: seen[name] for name in rest}, contigs)
    if conflicts:
        text += f"Another assembly version, it seems: {'; '.join(conflicts[:3])}.\n"
    if rest:
        text += (
            f"{'For' if proposals else 'No mapping is evident for'} {_some(rest)}"
            f"{' no mapping is evident' if proposals else ''}: use the same names in both files, or give the genome a "
            "seqid_map {name in annotation: name in FASTA}; null leaves a sequence out"
        )
    return text.rstrip("\n")


def _as_yaml(proposals: Mapping[str, Proposal]) -> list[str]:
    def text(name: str) -> str:
        """A name as YAML text; JSON's quotes are YAML's."""
        return name if _PLAIN_YAML.match(name) and name.lower() not in _YAML_WORDS else json.dumps(name)

    lines = ["seqid_map:"]
    for name, proposal in proposals.items():
        target = "null" if proposal.target is None else text(proposal.target)
        lines.append(f"  {text(name)}: {target}" + (f"  # {proposal.why}" if proposal.why else ""))
    return lines


def _counted(names: Collection[str]) -> str:
    count = len(names)
    return f"{count} name{'' if count == 1 else 's'}"
