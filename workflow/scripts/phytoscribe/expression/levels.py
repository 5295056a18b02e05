"""Measured expression of a genome's genes as TPM, a tissue a column, from any of the files that users have.

TPM (transcripts per million; Wagner et al. 2012, doi:10.1007/s12064-012-0162-3): of counts, the count divided by the
gene's exonic length, scaled so that all genes of a sample have a million together; FPKM is only scaled.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from phytoscribe.annotation.gene_database import GeneDatabase
from phytoscribe.errors import PhytoScribeError
from phytoscribe.expression.matrix import read_matrix
from phytoscribe.expression.salmon import read_quantified
from phytoscribe.genome.names import shown, some_names

log = logging.getLogger(__name__)

TPM, FPKM, COUNTS = UNITS = ("tpm", "fpkm", "counts")
MILLION = 1e6
#: TPM of a sample sum to a million; beyond this factor the table is asked about.
USUAL_SUMS = (0.5, 2.0)
#: First column of the table.
GENE = "gene"
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


class Levels(NamedTuple):
    """Measured expression.

    Attributes:
        table: column ``gene``, then a column per tissue, TPM; NaN where nothing was measured.  Genes of the annotation
            that the files have, in their order.
        warnings: what the user must see.
    """

    table: pd.DataFrame
    warnings: list[str]


def measured_levels(name: str, source: Mapping[str, Any], database: GeneDatabase) -> Levels:
    """Expression of a genome's genes.

    Args:
        name: of the genome, for messages.
        source: ``genomes[].expression`` of the configuration: ``path`` with ``unit`` and ``tissues``
            (``{tissue: samples}``, None for a tissue per column), or ``salmon`` (``{tissue: files}``).
        database: of the genome's accepted genes.

    Raises:
        PhytoScribeError: a file cannot be used; the text says why and what to do.
    """
    if source.get("salmon"):
        return _of_salmon(name, source["salmon"], database)
    return _of_matrix(name, source["path"], source["unit"], source.get("tissues"), database)


def _of_matrix(
    name: str, path: str, unit: str, tissues: Mapping[str, Sequence[str]] | None, database: GeneDatabase
) -> Levels:
    samples = None if tissues is None else list(dict.fromkeys(x for names in tissues.values() for x in names))
    matrix = read_matrix(path, samples)
    lengths, gene_of = database.exonic_lengths(), database.genes_of_transcripts()
    shared = check_ids(name, path, matrix.ids, lengths, gene_of)
    log.info("%s: %d of %d ids in %s are genes of the annotation", name, shared, len(matrix.ids), path)
    values, warnings = matrix.values, []
    if unit == COUNTS:
        # What the annotation lacks has no length, and takes no part.
        bases = np.array([lengths.get(one, np.nan) for one in matrix.ids])
        values = _scaled(path, values / bases[:, None], matrix.columns)
    elif unit == FPKM:
        values = _scaled(path, values, matrix.columns)
    else:
        warnings = _odd_sums(name, path, values, matrix.columns)
    wanted = tissues or {column: [column] for column in matrix.columns}
    of_tissue = {tissue: _mean(values[:, [matrix.columns.index(x) for x in names]]) for tissue, names in wanted.items()}
    return Levels(_of_genes(path, matrix.ids, of_tissue, list(lengths)), warnings)


def _of_salmon(name: str, files: Mapping[str, Sequence[str]], database: GeneDatabase) -> Levels:
    genes, gene_of = list(database.exonic_lengths()), database.genes_of_transcripts()
    of_tissue = {}
    for tissue, paths in files.items():
        replicates = []
        for path in paths:
            found = read_quantified(path, gene_of)
            log.info("%s: %d of %d transcripts in %s are known", name, found.found, found.transcripts, path)
            replicates.append([found.tpm.get(gene, np.nan) for gene in genes])
        of_tissue[tissue] = _mean(np.array(replicates, dtype=np.float64).T)
    first = next(iter(files.values()))[0]
    return Levels(_of_genes(first, genes, of_tissue, genes), [])


def _scaled(path: str, values: npt.NDArray[np.float64], columns: Sequence[str]) -> npt.NDArray[np.float64]:
    """Values that sum to a million in each column."""
    sums = np.nansum(values, axis=0)
    if empty := [column for column, total in zip(columns, sums, strict=True) if not total > 0]:
        raise PhytoScribeError(f"{path}: the genes of the annotation have no expression in {some_names(empty)}")
    return values * (MILLION / sums)


def _odd_sums(name: str, path: str, values: npt.NDArray[np.float64], columns: Sequence[str]) -> list[str]:
    sums = np.nansum(values, axis=0)
    low, high = (factor * MILLION for factor in USUAL_SUMS)
    odd = [f"{x} {total:,.0f}" for x, total in zip(columns, sums, strict=True) if not low <= total <= high]
    if not odd:
        return []
    return [
        f"expression of {name}: TPM of a sample sum to 1,000,000, but in {path} to {some_names(odd)}: are they counts "
        "or FPKM (key `unit`), or does the table leave genes out?"
    ]


def _mean(replicates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean over those that were measured; NaN where none was."""
    measured = np.isfinite(replicates).sum(axis=1)
    return np.where(measured > 0, np.nansum(replicates, axis=1) / np.maximum(measured, 1), np.nan)


def _of_genes(
    path: str, ids: Sequence[str], of_tissue: Mapping[str, npt.NDArray[np.float64]], genes: Sequence[str]
) -> pd.DataFrame:
    """The table of the annotation's genes.

    Raises:
        PhytoScribeError: a tissue has no value, or the same one in all genes.
    """
    table = pd.DataFrame({GENE: ids, **of_tissue}).set_index(GENE)
    table = table.loc[[gene for gene in genes if gene in table.index]].dropna(how="all")
    for tissue in of_tissue:
        values = table[tissue].dropna().unique()
        if len(values) < 2:
            found = f"one value in all genes ({values[0]:g})" if len(values) else "no value in any annotated gene"
            raise PhytoScribeError(
                f"{path}: tissue {tissue!r} has {found}, so there is nothing to learn; correct the column or leave it "
                "out"
            )
    return table.reset_index()


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
