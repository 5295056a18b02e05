"""Mobile elements of a user: GFF3 or GFF2 of RepeatMasker, EDTA and the like, or BED.

Every element gets a term of the Sequence Ontology below ``mobile_genetic_element``, from its feature type or from its
class as RepeatMasker writes it (``LTR/Gypsy``).  Simple repeats and copies of RNA genes are no elements.
"""

from __future__ import annotations

import logging
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from phytoscribe.annotation.feature_types import SEQUENCE_TYPES, is_gene_type, is_transcript_type
from phytoscribe.annotation.gff_lines import read_rows
from phytoscribe.annotation.gff_text import decode_id, numbered_lines, read_attributes
from phytoscribe.errors import GffError
from phytoscribe.genome.intervals import Interval, is_coordinate, is_data_line, read_bed
from phytoscribe.genome.names import shown, some_names

log = logging.getLogger(__name__)

SeqidMap = Mapping[str, str | None]
#: The term for an element of which nothing more is known.
ELEMENT = "mobile_genetic_element"
#: First part of a class, lower case, and the term; None for what is no mobile element.
_CLASSES: dict[str, str | None] = {
    "ltr": "LTR_retrotransposon",
    "line": "LINE_element",
    "sine": "SINE_element",
    "dirs": "retrotransposon",
    "ple": "retrotransposon",
    "retroposon": "retrotransposon",
    "retrotransposon": "retrotransposon",
    "retro": "retrotransposon",
    "rc": "helitron",
    "helitron": "helitron",
    "dna": "terminal_inverted_repeat_element",
    "dnaauto": "terminal_inverted_repeat_element",
    "dnanona": "terminal_inverted_repeat_element",
    "tir": "terminal_inverted_repeat_element",
    "mite": "MITE",
    "polinton": "DNA_transposon",
    "maverick": "DNA_transposon",
    "crypton": "DNA_transposon",
    "unknown": ELEMENT,
    "unspecified": ELEMENT,
    "other": ELEMENT,
    "te": ELEMENT,
    "simple_repeat": None,
    "low_complexity": None,
    "satellite": None,
    "tandem_repeat": None,
    "artefact": None,
    "rrna": None,
    "trna": None,
    "snrna": None,
    "scrna": None,
    "srprna": None,
}
#: By feature type, lower case: those that say what kind of element it is, and those that need a class to tell.
_TYPES = (
    (re.compile(r"(?:\w+_)?ltr_retrotransposon|\w+_retrovirus|trim|lard"), "LTR_retrotransposon"),
    (re.compile(r"line(?:_element|_retrotransposon)?|\w+_line_retrotransposon"), "LINE_element"),
    (re.compile(r"sine(?:_element|_retrotransposon)?|\w+_sine_retrotransposon"), "SINE_element"),
    (re.compile(r"(?:non_ltr_|yr_|\w+_)?retrotransposon|\w+_yr_retrotransposon"), "retrotransposon"),
    (re.compile(r"helitron"), "helitron"),
    (re.compile(r"mite"), "MITE"),
    (re.compile(r"(?:\w+_)?tir_transposon|terminal_inverted_repeat_element"), "terminal_inverted_repeat_element"),
    (re.compile(r"(?:\w+_)?dna_transposon|\w+_transposon"), "DNA_transposon"),
    (re.compile(r"mobile_genetic_element|transposable_element|transposon|\w+_transposable_element"), ELEMENT),
)
_BY_CLASS = frozenset(
    {"similarity", "dispersed_repeat", "repeat_region", "repeat", "match", "nucleotide_match", "repeatmasker"}
)
_NOT_MOBILE = frozenset(
    {
        "simple_repeat", "low_complexity", "low_complexity_region", "satellite_dna", "satellite", "tandem_repeat",
        "microsatellite", "minisatellite", "centromeric_repeat", "subtelomere", "telomeric_repeat", "knob",
        "rdna_intergenic_spacer_element", "rrna_gene",
    }
)  # fmt: skip
#: Attributes that hold a class, and those that hold the name of the family.
_CLASS_KEYS = ("Classification", "classification", "class", "Class", "repeat_class", "Superfamily", "rpt_family")
_NAME_KEYS = ("Name", "Target", "Motif", "ID")
_SIMPLE = re.compile(r"\([ACGTN]+\)n|[ACGT]+-rich|polypurine", re.IGNORECASE)


class Element(NamedTuple):
    """A mobile element: 0-based, half-open.

    Attributes:
        strand: ``+``, ``-`` or ``.``.
        score: column 6 as the file has it.
        kind: class such as ``LTR/Gypsy``; empty if the file does not tell.
    """

    contig: str
    start: int
    end: int
    strand: str
    type: str
    source: str
    score: str
    name: str
    kind: str


def read_elements(
    path: str | Path, contigs: Mapping[str, int], seqid_map: SeqidMap | None = None
) -> tuple[list[Element], Counter[str]]:
    """Elements in the order of the file, and the number of other lines by their type or class.

    Args:
        contigs: ``{contig: length}`` of the FASTA.
        seqid_map: names of sequences in the file to those of the FASTA; None leaves a sequence out.

    Raises:
        GffError: the file is neither GFF nor BED, a line is malformed or does not lie on ``contigs``, or holds a gene.
    """
    left_out: Counter[str] = Counter()
    if is_bed(path):
        found = list(_from_bed(path, contigs, seqid_map, left_out))
    else:
        found = _from_gff(path, contigs, seqid_map, left_out)
    log.info("%s: %d mobile elements; left out: %s", path, len(found), dict(sorted(left_out.items())) or "nothing")
    return found, left_out


def intervals_of(elements: Iterable[Element]) -> dict[str, list[Interval]]:
    """Intervals of elements by contig."""
    found: dict[str, list[Interval]] = defaultdict(list)
    for element in elements:
        found[element.contig].append((element.start, element.end))
    return dict(found)


def read_repeats(
    path: str | Path, contigs: Mapping[str, int], seqid_map: SeqidMap | None = None
) -> dict[str, list[Interval]]:
    """Intervals of all repeats by contig, mobile or not, in the order of the file; arguments as :func:`read_elements`.

    Raises:
        PhytoScribeError: the file is neither GFF nor BED, or a line is malformed or does not lie on ``contigs``.
    """
    if is_bed(path):
        return read_bed(path, contigs, seqid_map)
    found: dict[str, list[Interval]] = defaultdict(list)
    for row in read_rows(path, contigs, seqid_map=seqid_map):
        if row.type.lower() not in SEQUENCE_TYPES:
            found[row.contig].append((row.start, row.end))
    return dict(found)


def is_bed(path: str | Path) -> bool:
    """True for BED, False for GFF3 or GFF2, by the first line of data; a file without any is BED.

    Raises:
        GffError: it is neither.
    """
    for number, line in numbered_lines(path):
        if line.startswith("##gff"):
            return False
        if not is_data_line(line):
            continue
        columns = line.split("\t")
        # BED first: a BED line of nine columns may have numbers in columns 4 and 5 too.
        if len(columns) >= 3 and _is_number(columns[1]) and _is_number(columns[2]):
            return True
        if len(columns) == 9 and _is_number(columns[3]) and _is_number(columns[4]):
            return False
        raise GffError(
            f"{path}, line {number}: {len(columns)} tab-separated columns, and not those of GFF3 (start and end in "
            f"columns 4 and 5 of 9) or BED (start and end in columns 2 and 3): {shown(line)}; convert the file (with "
            "RepeatMasker, use its option -gff)"
        )
    return True


def _is_number(text: str) -> bool:
    return is_coordinate(text.removeprefix("-"))


def _from_bed(
    path: str | Path, contigs: Mapping[str, int], seqid_map: SeqidMap | None, left_out: Counter[str]
) -> Iterator[Element]:
    for number, line in numbered_lines(path):
        if not is_data_line(line):
            continue
        columns = line.split("\t")
        where = f"{path}, line {number}"
        if len(columns) < 3 or not (is_coordinate(columns[1]) and is_coordinate(columns[2])):
            raise GffError(f"{where}: a BED line needs contig, start and end, separated by tabs; this is {shown(line)}")
        start, end = int(columns[1]), int(columns[2])
        if start >= end:
            raise GffError(f"{where}: start {start} and end {end} are no interval: BED needs start < end")
        contig = (seqid_map or {}).get(columns[0], columns[0])
        if contig is None:
            left_out["sequence that seqid_map leaves out"] += 1
            continue
        _check_place(where, contig, end, contigs)
        strand = "-" if columns[5:6] in (["-"], ["C"]) else "+" if columns[5:6] == ["+"] else "."
        name = columns[3] if len(columns) > 3 and columns[3] != "." else ""
        kind = _class_in_bed(columns[3:])
        term = term_of_class(kind) if kind else None if _SIMPLE.search(name) else ELEMENT
        if term is None:
            left_out[kind or "Simple_repeat"] += 1
            continue
        yield Element(contig, start, end, strand, term, "repeats", ".", name, kind)


def _check_place(where: str, contig: str, end: int, contigs: Mapping[str, int]) -> None:
    if contig not in contigs:
        raise GffError(
            f"{where}: the contig {shown(contig)} is not in the FASTA, which has {some_names(contigs)}; use the "
            "repeats of this assembly, or give the names of the FASTA in the genome's seqid_map"
        )
    if end > contigs[contig]:
        raise GffError(
            f"{where}: the element ends at {end}, past the end of {shown(contig)} ({contigs[contig]} bases); use the "
            "repeats of this assembly version"
        )


def _class_in_bed(columns: list[str]) -> str:
    """The class in any column behind the end: ``LTR/Gypsy``, part of a name with ``|``, or class and family in two."""
    for number, column in enumerate(columns):
        for part in re.split(r"[|;,]", column):
            head = re.split(r"[/.?]", part, maxsplit=1)[0].lower()
            if "/" in part and head in _CLASSES:
                return part
            # RM2Bed writes class and family in two columns, and others a class alone.
            if number and head in _CLASSES:
                family = columns[number + 1] if number + 1 < len(columns) else ""
                return f"{part}/{family}" if re.fullmatch(r"[A-Za-z][\w-]*", family) else part
    return columns[0] if columns and columns[0].lower() in _CLASSES else ""


def term_of_class(kind: str) -> str | None:
    """Term for a class such as ``LTR/Gypsy``; None for what is no mobile element; others are :data:`ELEMENT`."""
    first, _, second = kind.replace("?", "").lower().partition("/")
    if "helitron" in second:
        return "helitron"
    if first.endswith("mite") or second.startswith("mite"):
        return "MITE"
    if first == "dna" and second in ("", "maverick", "polinton", "crypton"):
        return "DNA_transposon"
    return _CLASSES.get(first, _CLASSES.get(first.split("_")[0], ELEMENT))


def _from_gff(
    path: str | Path, contigs: Mapping[str, int], seqid_map: SeqidMap | None, left_out: Counter[str]
) -> list[Element]:
    found: list[tuple[Element, str]] = []
    wrappers: set[str] = set()
    for row in read_rows(path, contigs, seqid_map=seqid_map, left_out=left_out):
        kind = row.type.lower()
        if kind in SEQUENCE_TYPES:
            continue
        if (is_gene_type(kind) and "transpos" not in kind and kind != "rrna_gene") or is_transcript_type(kind):
            raise GffError(
                f"{path}, line {row.line}: a {row.type} in a file of repeats; give the mobile elements that "
                "RepeatMasker, EDTA or another program has found, not the genes"
            )
        attributes = read_attributes(row.attributes)
        name, classed = _named(attributes.values)
        term = _term(kind, classed, name)
        parent = decode_id(attributes.values.get("Parent", ""))
        if term is None or (parent and not any(pattern.fullmatch(kind) for pattern, _ in _TYPES)):
            left_out[classed or row.type] += 1
            continue
        wrappers.add(parent)
        identifier = decode_id(attributes.values.get("ID", ""))
        strand = row.strand if row.strand in ("+", "-") else "."
        element = Element(row.contig, row.start, row.end, strand, term, row.source, row.score, name, classed)
        found.append((element, identifier))
    # EDTA and LTRharvest put an element with its target site duplication into a repeat_region.
    kept = [element for element, identifier in found if not identifier or identifier not in wrappers]
    if len(kept) < len(found):
        left_out["feature around other elements"] += len(found) - len(kept)
    return kept


def _named(values: Mapping[str, str]) -> tuple[str, str]:
    """Name and class of an element in its attributes."""
    name = next((values[key] for key in _NAME_KEYS if values.get(key)), "")
    name = decode_id(name).strip().removeprefix('"').removeprefix("Motif:").split('"')[0].split(" ")[0]
    classed = decode_id(next((values[key] for key in _CLASS_KEYS if values.get(key)), ""))
    if not classed:
        # Names such as ATHILA2#LTR/Gypsy and AT1TE00010|ATCOPIA24|LTR/Copia.
        parts = [part for part in re.split(r"[#|]", name) if "/" in part]
        classed = parts[-1] if parts else ""
    return name, classed


def _term(kind: str, classed: str, name: str) -> str | None:
    """Term for a line; None for one that is no element."""
    if kind in _NOT_MOBILE or (not classed and _SIMPLE.search(name)):
        return None
    by_type = next((term for pattern, term in _TYPES if pattern.fullmatch(kind)), None)
    if by_type and by_type != ELEMENT:
        return by_type
    if classed:
        return term_of_class(classed)
    return ELEMENT if by_type or kind in _BY_CLASS else None
