"""Predicted expression of genes: the heads of all seeds on windows, and the table of a genome."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch

from phytoscribe.annotation.gene_database import GeneDatabase, write_gene_database
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.decoding.settings import unseen_lineage
from phytoscribe.devices import choose_device
from phytoscribe.expression.examples import BinFeatures
from phytoscribe.expression.features import Windows
from phytoscribe.expression.windows import GeneWindow, WindowSettings, reason_without, window_bases, windows_of_genes
from phytoscribe.files import atomic_open, scratch_folder
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.names import some_names
from phytoscribe.models import EXPRESSION_FILES
from phytoscribe.models.expression import BIN, ExpressionHead, load_heads
from phytoscribe.models.loading import hash_of, model_hash
from phytoscribe.prediction.network import StructureNetwork
from phytoscribe.prediction.regulatory import check_trunk
from phytoscribe.prediction.trunk_cells import trunk_reader
from phytoscribe.splits.parts import TRAIN

logger = logging.getLogger(__name__)

#: Windows that the heads read at once.
BATCH = 64
#: Columns before those of the tissues.  ``start``, ``end`` and ``tss`` are 1-based, as in the GFF3.
PLACE = ("gene", "contig", "start", "end", "strand", "tss", "part", "homologue", "reason")
#: ``part`` of genes that the heads have not learned from, and of genes of a species that they know, without the split.
UNSEEN, UNKNOWN = "unseen", "unknown"


class Predicted(NamedTuple):
    """Of some genes, means over the seeds.

    Attributes:
        log: float32 (genes, tissues), expected log2(1 + TPM).
        expressed: float32 (genes, tissues), probability that the gene is expressed.
    """

    log: npt.NDArray[np.float32]
    expressed: npt.NDArray[np.float32]


def predict_windows(
    networks: Sequence[ExpressionHead], bases: Windows, trunk: BinFeatures | None, device: torch.device
) -> Predicted:
    """Predict from windows.

    Args:
        bases: uint8 (genes, pieces, bases).
        trunk: of :func:`read_trunk_bins`, for heads that take features of the structure model.
    """
    tissues = len(networks[0].config.tissues)
    found = Predicted(*(np.zeros((len(bases), tissues), dtype=np.float32) for _ in range(2)))
    with torch.inference_mode():
        for first in range(0, len(bases), BATCH):
            rows = slice(first, first + BATCH)
            codes = torch.from_numpy(bases[rows].astype(np.int64)).to(device)
            features = None if trunk is None else torch.from_numpy(trunk[rows].astype(np.float32)).to(device)
            for network in networks:
                output = network(codes, features)
                found.log[rows] += network.expected(output).cpu().numpy() / len(networks)
                found.expressed[rows] += output.expressed.sigmoid().cpu().numpy() / len(networks)
    return found


def read_matches(head: ExpressionHead, bases: Windows, device: torch.device) -> BinFeatures:
    """Matches of the motifs of a head that do not change in training, float16 (genes, pieces, bins, channels)."""
    found = []
    with torch.inference_mode():
        for first in range(0, len(bases), BATCH):
            codes = torch.from_numpy(bases[first : first + BATCH].astype(np.int64)).to(device)
            found.append(head.matches(codes).cpu().numpy().astype(np.float16))
    return np.concatenate(found)


def read_trunk_bins(network: StructureNetwork, bases: Windows, global_ids: tuple[int, int]) -> BinFeatures:
    """Features of the structure model's trunk, means over bins, float16 (genes, pieces, bins, channels).

    The trunk reads each piece by itself, with its masks: it sees nothing that the head must not see.

    Args:
        network: set to read all features of its trunk.
        global_ids: tokens of species and lineage.
    """
    pieces = bases.reshape(-1, bases.shape[-1])
    bins = np.zeros((len(pieces), bases.shape[2] // BIN, network.channels), dtype=np.float16)
    for first in range(0, len(pieces), BATCH):
        features = network(list(pieces[first : first + BATCH]), global_ids).features.astype(np.float32)
        bins[first : first + BATCH] = features.reshape(len(features), -1, BIN, features.shape[-1]).mean(axis=2)
    return bins.reshape(*bases.shape[:2], *bins.shape[1:])


def predict_genome(
    head: Path,
    gff3: Path,
    fasta: Path,
    split: pd.DataFrame | None,
    structure_model: Path | None,
    names: tuple[str, str],
    device: str,
    threads: int,
    output: Path,
) -> None:
    """Predict the expression of all genes of a GFF3; genes without a window stand in the table with the reason.

    Args:
        head: folder of the heads, which says what of a gene they read.
        split: lines of gene_windows.tsv of this genome, if the heads were trained here with it.
        structure_model: folder of the model whose features the heads take, if any.
        names: species and lineage, for the structure model.

    Raises:
        ModelError: the heads are damaged, or were trained with another structure model.
    """
    networks, report = load_heads(head)
    check_trunk(head, report["structure_model"], model_hash(structure_model) if structure_model else None)
    settings, tissues = WindowSettings(**report["windows"]), networks[0].config.tissues
    span = f"{settings.input}, {settings.upstream} bases outside and {settings.inside} inside of the gene"
    logger.info(
        "%s: %d heads for %s; they read %s, and %s",
        head,
        len(networks),
        some_names(tissues),
        span,
        f"the features of {structure_model}" if structure_model else "no features of the structure model",
    )
    torch.set_num_threads(threads)
    chosen = choose_device(device)
    windows, bases = read_windows(gff3, fasta, settings)
    reasons = [reason_without(window, codes, settings) for window, codes in zip(windows, bases, strict=True)]
    bases, trunk = bases[[reason == "" for reason in reasons]], None
    if not len(bases):
        logger.warning(
            "%s: the heads can read no gene of %d (%s); %s says why, gene by gene, and has no level",
            gff3,
            len(windows),
            ", ".join(f"{reason} {count}" for reason, count in sorted(Counter(reasons).items())) or "it has none",
            output,
        )
    if structure_model is not None:
        reader = trunk_reader(structure_model, device, threads, names)
        trunk = read_trunk_bins(reader.network, bases, reader.global_ids)
    for network in networks:
        network.to(chosen)
    predicted = predict_windows(networks, bases, trunk, chosen)
    facts = {
        "model": hash_of(head, EXPRESSION_FILES),
        "structure_model": report["structure_model"] or "none",
        "genes": gff3.name,
        "input": span,
        "unit": f"TPM; expressed: probability of at least {report['threshold']:g} TPM",
    }
    # Genes of a genome that these heads were trained on are of its lineage, named or not.
    if split is None and (note := unseen_lineage(names[1], report["lineages"])):
        facts["note"] = note
    without_split = UNSEEN
    if split is None and names[0] in report["species"]:
        facts["note"] = f"the heads have learned from genes of {names[0]}, and which these are is not known here"
        without_split = UNKNOWN
    write_predictions(output, place_of_genes(windows, reasons, split, without_split), predicted, tissues, facts)


def read_windows(gff3: Path, fasta: Path, settings: WindowSettings) -> tuple[list[GeneWindow], Windows]:
    """Windows of all genes of a GFF3, in order along the contigs, and their bases, uint8 (genes, pieces, bases)."""
    with scratch_folder() as scratch, Genome(fasta) as genome:
        models = {gene.id: gene for gene in read_gff3(gff3, genome.contigs)}
        if not models:
            return [], np.zeros((0, len(settings.flanks), settings.piece), dtype=np.uint8)
        write_gene_database(gff3, scratch / "genes.db")
        windows = windows_of_genes(GeneDatabase(scratch / "genes.db"), settings)
        return windows, window_bases(windows, models, genome, settings)


def place_of_genes(
    windows: Sequence[GeneWindow], reasons: Sequence[str], split: pd.DataFrame | None, without_split: str = UNSEEN
) -> pd.DataFrame:
    """Columns :data:`PLACE`.

    Args:
        split: lines of gene_windows.tsv of this genome, if it was divided for these heads.
        without_split: ``part`` of genes that are not in there.
    """
    known = {} if split is None else {row.gene: row for row in split.itertuples()}
    learnt = set() if split is None else set(split["cluster"][(split["part"] == TRAIN) & (split["reason"] == "")])
    rows = []
    for window, reason in zip(windows, reasons, strict=True):
        span, row = window.span, known.get(window.span.id)
        # A gene that the guard took out of training is judged by nothing, but was not learned from either.
        part = without_split if row is None or (row.reason and row.part == TRAIN) else row.part
        homologue = "" if row is None or part == TRAIN else ("yes" if row.cluster in learnt else "no")
        place = (span.id, span.contig, span.start + 1, span.end, span.strand, window.tss + 1)
        rows.append((*place, part, homologue, reason))
    return pd.DataFrame(rows, columns=list(PLACE))


def write_predictions(
    path: Path, place: pd.DataFrame, predicted: Predicted, tissues: Sequence[str], facts: Mapping[str, str]
) -> None:
    """Write the table of a genome.

    Args:
        place: columns :data:`PLACE`, a gene a line; those with a reason have no prediction.
        predicted: of the genes without a reason, in their order.
        facts: lines above the header.
    """
    table, there = place.copy(), (place["reason"] == "").to_numpy()
    levels = np.maximum(np.exp2(predicted.log) - 1, 0)
    for number, tissue in enumerate(tissues):
        for name, values in ((tissue, levels), (f"{tissue}_expressed", predicted.expressed)):
            column = np.full(len(table), np.nan)
            column[there] = values[:, number]
            table[name] = column
    with atomic_open(path) as handle:
        handle.writelines(f"# {key}: {value}\n" for key, value in facts.items())
        table.to_csv(handle, sep="\t", index=False, float_format="%.4f", lineterminator="\n")
