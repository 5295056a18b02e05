"""What happens to annotation files on their way: everything here leaves the meaning of a file as it was."""

from __future__ import annotations

import gzip
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from gff_lines_of import Written
from hypothesis import strategies as st

_PAIR = re.compile(r'(\w+) "([^"]*)"')
_GFF3_EXTRA = ("Note=", "Target=EST23 1 21 +", "url=http://x.org/?a=b", "Index=1", 'note="q"', "score_2=%7E1", "x=a,b")
_GTF_EXTRA = ('tag "basic"', "level 2", 'note ""', 'url "http://x.org/?a=b;c=%20d"', 'tag "x y"')
_COMMENTS = ("", "# a comment", "#", "#!processor x", "## two", "   ", "###", "#1\ta\tgene\t1\t2\t.\t+\t.\tID=no_gene")


@dataclass(frozen=True, slots=True)
class Perturbation:
    """How one file is written.  ``seed`` drives the choices inside a change, so that a failure repeats."""

    seed: int = 0
    shuffled: bool = False
    repeated: bool = False
    commented: bool = False
    attributes: str = ""
    newline: str = "\n"
    ending: str = "\n"
    packed: str = ""
    byte_order_mark: bool = False


def perturbations() -> st.SearchStrategy[Perturbation]:
    """Any mixture of changes; the first of each is none at all."""
    return st.builds(
        Perturbation,
        seed=st.integers(0, 99),
        shuffled=st.booleans(),
        repeated=st.booleans(),
        commented=st.booleans(),
        attributes=st.sampled_from(["", "reversed", "escaped", "extra", "spaced", "unended"]),
        newline=st.sampled_from(["\n", "\r\n"]),
        ending=st.sampled_from(["\n", "", "\n\n", "\n###\n", "\n# end", "\n##FASTA\n>c\nACGT\n"]),
        packed=st.sampled_from(["", "gzip", "members"]),
        byte_order_mark=st.booleans(),
    )


def as_file(written: Written, how: Perturbation) -> bytes:
    """The bytes of the file."""
    chance = random.Random(how.seed)
    change = _CHANGES.get(how.attributes)
    features = [*written.others, *(line for gene in written.genes for line in gene)]
    if change is not None:
        features = [_with_attributes(line, change, chance) for line in features]
    if how.repeated:
        features += chance.sample(features, min(3, len(features)))
    if how.shuffled:
        chance.shuffle(features)
    if how.commented:
        for comment in [*written.comments, *_COMMENTS]:
            features.insert(chance.randint(0, len(features)), comment)
    text = "\n".join([*written.header, *features]) + how.ending
    data = text.replace("\n", how.newline).encode()
    if how.byte_order_mark:
        data = b"\xef\xbb\xbf" + data
    if how.packed == "gzip":
        return gzip.compress(data)
    if how.packed == "members":  # bgzip writes members of up to 64 KiB, cut anywhere, and an empty one last
        cut = len(data) // 3
        return gzip.compress(data[:cut]) + gzip.compress(data[cut:]) + gzip.compress(b"")
    return data


def _with_attributes(line: str, change: Callable[[list[str], bool, random.Random], str], chance: random.Random) -> str:
    *columns, attributes = line.split("\t")
    if _PAIR.match(attributes):
        fields, is_gtf = [f'{key} "{value}"' for key, value in _PAIR.findall(attributes)], True
    elif "=" in attributes:
        fields, is_gtf = [field for field in attributes.split(";") if field], False
    else:
        return line  # the bare id of AUGUSTUS
    return "\t".join([*columns, change(fields, is_gtf, chance)])


def _joined(fields: list[str], is_gtf: bool) -> str:
    return "".join(f"{field}; " for field in fields).rstrip() if is_gtf else ";".join(fields)


def _reversed(fields: list[str], is_gtf: bool, chance: random.Random) -> str:
    return _joined(fields[::-1], is_gtf)


def _escaped(fields: list[str], is_gtf: bool, chance: random.Random) -> str:
    """Some letters of GFF3 values as percent escapes, in either case: they mean the same."""
    if is_gtf:
        return _joined(fields, is_gtf)
    changed = []
    for field in fields:
        key, _, value = field.partition("=")
        pieces = re.findall(r"%[0-9A-F]{2}|.", value, re.DOTALL)
        shape = chance.choice(["%{:02X}", "%{:02x}"])
        for index, piece in enumerate(pieces):
            if len(piece) == 1 and piece not in ", " and chance.random() < 0.3:
                pieces[index] = "".join(shape.format(byte) for byte in piece.encode())
        changed.append(f"{key}={''.join(pieces)}")
    return _joined(changed, is_gtf)


def _extra(fields: list[str], is_gtf: bool, chance: random.Random) -> str:
    extra = list(_GTF_EXTRA if is_gtf else _GFF3_EXTRA)
    return _joined([*fields, *chance.sample(extra, 3)], is_gtf)


def _spaced(fields: list[str], is_gtf: bool, chance: random.Random) -> str:
    return " ;  ".join(fields) + " ; " if is_gtf else "; ".join(fields) + ";"


def _unended(fields: list[str], is_gtf: bool, chance: random.Random) -> str:
    return ";".join(fields)


_CHANGES = {
    "reversed": _reversed,
    "escaped": _escaped,
    "extra": _extra,
    "spaced": _spaced,
    "unended": _unended,
}
