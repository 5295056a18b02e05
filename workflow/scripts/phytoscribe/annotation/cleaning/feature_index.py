"""All features of a file by what they can be to a gene, and what they say about one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from phytoscribe.annotation.cleaning.repairs import RepairReport
from phytoscribe.annotation.cleaning.source_features import Feature, Part, Role, read_features
from phytoscribe.annotation.feature_types import SEQUENCE_TYPES, is_transcript_type

#: They are no genes, even if transcripts name one as their parent.
_NO_GENES = SEQUENCE_TYPES | {"biological_region", "source"}
#: Steps from a transcript inside a transcript up to its gene; longer chains are circles or nonsense.
_MOST_LEVELS = 8


@dataclass(slots=True)
class SortedFeatures:
    """Genes, what may be transcripts, and the parts of transcripts, each in file order."""

    genes: list[Feature] = field(default_factory=list)
    middle: list[Feature] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)


def sorted_features(
    path: str | Path,
    contigs: Mapping[str, int],
    report: RepairReport,
    seqid_map: Mapping[str, str | None] | None = None,
) -> SortedFeatures:
    """Read a file; parts of proteins become parts of the transcripts that these are translated from.

    Raises:
        GffError: see :func:`~phytoscribe.annotation.gff_lines.read_rows`.
    """
    found = SortedFeatures()
    proteins: dict[str, tuple[str, ...]] = {}
    for feature in read_features(path, contigs, report, seqid_map):
        if isinstance(feature, Part):
            found.parts.append(feature)
        elif feature.role is Role.GENE:
            found.genes.append(feature)
        elif feature.role is Role.MIDDLE:
            found.middle.append(feature)
        elif feature.id:
            proteins[feature.id] = feature.parents
    _move_pseudogenes(found)
    for feature in (*found.genes, *found.middle):
        proteins.pop(feature.id, None)
    if proteins:
        found.parts = [_on_transcripts(part, proteins) for part in found.parts]
    return found


def _move_pseudogenes(found: SortedFeatures) -> None:
    """FlyBase's ``pseudogene`` is what a ``gene`` is transcribed to; elsewhere it is a gene and has transcripts."""
    genes = {feature.id for feature in found.genes if feature.id}
    children = [
        feature
        for feature in found.genes
        if feature.kind.lower() != "gene" and any(name in genes and name != feature.id for name in feature.parents)
    ]
    if not children:
        return
    with_transcripts = {name for feature in found.middle for name in feature.parents}
    moved = {id(feature) for feature in children if feature.id not in with_transcripts}
    for feature in children:
        if id(feature) in moved:
            kind = "pseudogenic_transcript" if "pseudo" in feature.kind.lower() else "transcript"
            found.middle.append(replace(feature, kind=kind, role=Role.MIDDLE))
    found.genes = [feature for feature in found.genes if id(feature) not in moved]
    found.middle.sort(key=lambda feature: feature.row.line)


def _on_transcripts(part: Part, translated: Mapping[str, tuple[str, ...]]) -> Part:
    """The part with transcripts as parents in place of the proteins that are translated from them."""
    if translated.keys().isdisjoint(part.parents):
        return part
    names = [name for parent in part.parents for name in translated.get(parent) or (parent,)]
    return part._replace(parents=tuple(dict.fromkeys(names)))


class Relations:
    """What the parts and the other features of a file say about the features between genes and parts."""

    def __init__(self, found: SortedFeatures) -> None:
        parts = found.parts
        self.with_parts = {parent for part in parts for parent in part.parents}
        self.with_cds = {parent for part in parts if part.kind == "CDS" for parent in part.parents}
        self._hints = {part.parents[0]: part.gene_hint for part in parts if part.parents and part.gene_hint}
        self._by_id: dict[str, Feature] = {}
        for feature in found.middle:
            if feature.id:
                self._by_id.setdefault(feature.id, feature)

    def transcript_above(self, feature: Feature) -> str:
        """A parent that is a transcript itself; "" if there is none."""
        for name in feature.parents:
            parent = self._by_id.get(name)
            if parent and name != feature.id and (is_transcript_type(parent.kind) or name in self.with_cds):
                return name
        return ""

    def gene_above(self, feature: Feature, genes: Mapping[str, object]) -> str:
        """Name of the gene of a transcript without a gene line: that of the transcript that it is part of, or
        what the file calls its parent; "" if the file says nothing."""
        here = feature
        for _ in range(_MOST_LEVELS):
            above = self.transcript_above(here)
            if not above:
                break
            here = self._by_id[above]
            owner = next((name for name in here.parents if name in genes), "")
            if owner:
                return owner
        else:
            return ""
        for name in here.parents:
            parent = self._by_id.get(name)
            if parent is None or parent.kind.lower() not in _NO_GENES:
                return name
        return self._hints.get(here.id, "") or ("" if here is feature else f"{here.id}.gene")
