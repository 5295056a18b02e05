"""Do the ids of a table belong to the genes of an annotation?  If not, a repair is proposed and never made silently."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.names import shown, some_names

#: Share of the ids, or of the genes, that must be the other's: a table may hold more than a part of a genome, and fewer
#: genes than an annotation.
LEAST_SHARED = 0.5
_REPAIRS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("without the version behind the last point", lambda name: re.sub(r"\.\d+$", "", name)),
    ("without 'gene:' or 'gene-' in front", lambda name: re.sub(r"^gene[:-]", "", name)),
    ("with 'gene:' in front", lambda name: f"gene:{name}"),
    ("with 'gene-' in front", lambda name: f"gene-{name}"),
    ("in capitals", str.upper),
    ("without what follows the first point or '_T'", lambda name: re.split(r"\.|_T\d+$", name)[0]),
    ("in capitals, without the version behind the last point", lambda name: re.sub(r"\.\d+$", "", name).upper()),
)


def check_ids(name: str, path: str, ids: Sequence[str], genes: Collection[str], gene_of: Mapping[str, str]) -> int:
    """The number of ids that are genes.

    Args:
        name: of the genome.
        ids: of the table, each once.
        genes: ids of the annotation's genes.
        gene_of: the gene of each of its transcripts.

    Raises:
        PhytoScribeError: less than half of the ids are genes, and less than half of the genes are in the table.
    """
    shared = sum(one in genes for one in ids)
    if _enough(shared, len(ids), len(genes)):
        return shared
    unknown = next(one for one in ids if one not in genes)
    said = (
        f"expression of {name}: {shared:,} of {len(ids):,} ids in {path} are genes of its annotation (first unknown: "
        f"{unknown}), which has {some_names(list(genes), 3)}"
    )
    transcripts = [one for one in ids if one in gene_of]
    several = len({gene_of[one] for one in transcripts}) < len(transcripts)
    if several and _enough(len(transcripts), len(ids), len(gene_of)):
        raise PhytoScribeError(
            f"{said}; {len(transcripts):,} are transcripts: add up the values of each gene's transcripts"
        )
    for words, repair in _REPAIRS:
        repaired = [repair(one) for one in ids]
        if _enough(len(set(repaired) & set(genes)), len(ids), len(genes)):
            example = next((a, b) for a, b in zip(ids, repaired, strict=True) if b in genes)
            found = sum(one in genes for one in repaired)
            twice = len(repaired) - len(set(repaired))
            more = f", and {twice:,} would stand twice: add up their values" if twice else ""
            raise PhytoScribeError(
                f"{said}; {words} ({shown(example[0])} -> {shown(example[1])}) {found:,} would be{more}; rename "
                "them in the table"
            )
    raise PhytoScribeError(f"{said}; is it another species or id style?")


def _enough(shared: int, ids: int, genes: int) -> bool:
    return shared > 0 and shared >= LEAST_SHARED * min(ids, genes)
