"""The loci of a genome with their proteins, and the part of the split that each is assigned to.

The genome's role is decisive first: all loci of a genome with role ``validate`` or ``test`` belong to that part.  Loci
of a ``train`` genome follow their contig (mode ``contig``) or are assigned in whole groups (mode ``cluster``).  A group
joins loci in one protein cluster and loci that share bases, so that paralogs and overlapping loci never cross the
split.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from itertools import groupby
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pandas as pd

from phytoscribe.annotation.model import GeneModel, sort_genes
from phytoscribe.annotation.sequences import STOP, protein_of
from phytoscribe.errors import ConfigError, GffError
from phytoscribe.genome.fasta import Genome
from phytoscribe.splits.parts import CLUSTER_MODE, CONTIG_MODE, PARTS, TRAIN
from phytoscribe.splits.table import LOCUS_COLUMNS, SPLIT_COLUMNS

logger = logging.getLogger(__name__)


def protein_id(genome: str, locus: str) -> str:
    """Unique name of a locus' protein over all genomes; without white space, which would end a FASTA name."""
    return f"{genome}:{quote(locus, safe='.:|+-_()')}"


def extract_proteins(
    name: str, genes: Iterable[GeneModel], genome: Genome
) -> tuple[list[tuple[str, str]], pd.DataFrame]:
    """Extract the proteins of a genome's loci and the table of these loci, in order along the contigs.

    Args:
        name: the genome's name in the configuration.
        genes: accepted gene models; those without CDS have no protein and are left out.
        genome: its open sequence.

    Returns:
        FASTA records (protein id, sequence without the final stop) and a table with the columns
        :data:`~phytoscribe.splits.table.LOCUS_COLUMNS`; ``start``/``end`` span all transcripts of the locus.

    Raises:
        GffError: a CDS of the locus holds no complete codon.
    """
    records: list[tuple[str, str]] = []
    rows = []
    ordered = sort_genes(genes, genome.contigs)
    for contig, on_contig in groupby(ordered, key=lambda gene: gene.contig):
        bases = genome.bases(contig)
        for gene in on_contig:
            transcript = gene.representative
            if transcript is None:
                continue
            sequence = protein_of(transcript, bases).removesuffix(STOP)
            if not sequence:
                raise GffError(f"{name}: transcript {transcript.id}: its CDS codes for no amino acid")
            identifier = protein_id(name, gene.id)
            records.append((identifier, sequence))
            place = (name, contig, gene.start, gene.end, gene.strand, gene.id)
            rows.append((*place, transcript.id, identifier, len(sequence)))
    logger.info("%s: %d genes, %d loci with a protein", name, len(ordered), len(rows))
    return records, pd.DataFrame(rows, columns=list(LOCUS_COLUMNS))


def assign_splits(
    loci: pd.DataFrame,
    mode: str,
    fractions: Mapping[str, float],
    contig_parts: Mapping[str, Mapping[str, str]],
    genome_roles: Mapping[str, str],
    seed: int,
) -> pd.DataFrame:
    """Assign every locus to a part.

    Args:
        loci: columns genome, contig, start, end (0-based half-open), strand, locus, cluster.
        mode: ``cluster`` or ``contig``.
        fractions: share of loci per part in mode ``cluster``; any positive scale.
        contig_parts: ``{genome: {contig: part}}`` for mode ``contig``; contigs that it lacks are ``train``.
        genome_roles: ``{genome: role}``, role one of train, validate, test.
        seed: determines the order of equally large groups.

    Returns:
        Columns :data:`~phytoscribe.splits.table.SPLIT_COLUMNS`, rows in the order of ``loci``.
        ``has_train_homologue``: the locus is held out and its cluster has a ``train`` locus.

    Raises:
        ConfigError: the mode is unknown, or the fractions are invalid.
    """
    table = loci.reset_index(drop=True)
    parts = table["genome"].map(dict(genome_roles)).to_numpy(dtype=object, copy=True)
    dealt = parts == TRAIN
    if mode == CONTIG_MODE:
        for row in np.flatnonzero(dealt):
            parts[row] = contig_parts.get(table["genome"][row], {}).get(table["contig"][row], TRAIN)
    elif mode == CLUSTER_MODE:
        groups = locus_groups(table[dealt])
        parts[dealt] = deal_groups(groups, fractions, seed)
    else:
        raise ConfigError(f"split.mode: {mode!r} is unknown; use cluster or contig")
    table["part"] = pd.Series(parts, dtype="str")
    train_clusters = set(table.loc[table["part"] == TRAIN, "cluster"])
    table["has_train_homologue"] = table["cluster"].isin(train_clusters) & (table["part"] != TRAIN)
    logger.info("split by %s: loci per part: %s", mode, table["part"].value_counts().to_dict())
    return table[list(SPLIT_COLUMNS)]


def with_clusters(loci: pd.DataFrame, clusters: pd.DataFrame) -> pd.DataFrame:
    """The locus table with a column ``cluster``, by protein id.

    Raises:
        ValueError: a locus' protein is in no cluster.
    """
    number_of = dict(zip(clusters["protein"], clusters["cluster"], strict=True))
    missing = set(loci["protein"]) - set(number_of)
    if missing:
        raise ValueError(f"{len(missing)} proteins are in no cluster, e.g. {min(missing)}")
    return loci.assign(cluster=[number_of[protein] for protein in loci["protein"]])


def locus_groups(loci: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Group number int64[len(loci)] of every locus: loci of one cluster, or that share bases, are in one group.

    Groups are numbered from 0 in order of their first locus.
    """
    contig = [loci["genome"], loci["contig"]]
    ordered = loci.sort_values(["genome", "contig", "start"], kind="stable")
    # Loci of one run overlap, on either strand: each but the first begins before the furthest end so far.
    furthest = ordered["end"].astype("int64").groupby(contig).cummax().groupby(contig).shift(fill_value=0)
    run = (ordered["start"] >= furthest).cumsum()
    groups = pd.Series(np.arange(len(loci)), loci.index)
    while True:
        joined = groups.groupby(loci["cluster"]).transform("min").groupby(run).transform("min")
        if joined.equals(groups):
            return pd.factorize(groups)[0]
        groups = joined


def deal_groups(groups: npt.NDArray[np.int64], fractions: Mapping[str, float], seed: int) -> npt.NDArray[np.object_]:
    """Assign whole groups to parts, large groups first; returns the part of every locus, object[len(groups)].

    Each group goes to the part that is furthest below its share so far.  This spreads families of every size over the
    parts, and the many single genes at the end even out the shares.

    Raises:
        ConfigError: a fraction is negative, or that of ``train`` is 0.
    """
    shares = np.array([float(fractions.get(part, 0)) for part in PARTS])
    unknown = set(fractions) - set(PARTS)
    if unknown or shares.min() < 0 or shares[0] <= 0:
        raise ConfigError(f"split.fractions: {dict(fractions)}: train above 0, validate and test 0 or more are needed")
    shares /= shares.sum()
    sizes = np.bincount(groups) if len(groups) else np.zeros(0, dtype=np.int64)
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    counts = np.zeros(len(PARTS))
    part_of_group = np.empty(len(sizes), dtype=object)
    for group in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        behind = shares * (counts.sum() + sizes[group]) - counts
        chosen = int(np.argmax(np.where(shares > 0, behind, -np.inf)))
        counts[chosen] += sizes[group]
        part_of_group[group] = PARTS[chosen]
    return part_of_group[groups]
