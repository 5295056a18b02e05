"""The evaluation's tables of single loci, genes and transcripts, from real gene models, for tests of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from gene_scores import wrong_genes

from phytoscribe.annotation.model import GeneModel


def write_loci(path: Path, reference: Sequence[GeneModel], predictions: Mapping[str, Sequence[GeneModel]]) -> None:
    """``{genome}.reference_loci.tsv``: a row for each locus and predictor."""
    rows = []
    for predictor, genes in predictions.items():
        lost, _ = wrong_genes(reference, genes)
        errors = {found.gene.id: found for found in lost}
        by_chain = {chain: gene for gene in genes for chain in _chains(gene)}
        for locus in reference:
            error = errors.get(locus.id)
            if error is None:
                best = next(by_chain[chain] for chain in sorted(_chains(locus)) if chain in by_chain)
            else:
                best = error.partners[0] if error.partners else None
            rows.append(
                {
                    "predictor": predictor, **_place("locus", locus), "class": str(error.error) if error else "right",
                    "predicted": best.id if best else "", "cds_exons": len(_longest(locus).cds),
                    "predicted_cds_exons": len(_longest(best).cds) if best else "",
                    "cds_length": _longest(locus).cds_length, "no_train_homologue": "",
                }
            )  # fmt: skip
    pd.DataFrame(rows).to_csv(path, sep="\t", index=False)


def write_predicted(path: Path, reference: Sequence[GeneModel], predictions: Mapping[str, Sequence[GeneModel]]) -> None:
    """``{genome}.predicted_genes.tsv``: a row for each predicted gene and predictor."""
    rows = []
    for predictor, genes in predictions.items():
        _, wrong = wrong_genes(reference, genes)
        errors = {found.gene.id: str(found.error) for found in wrong}
        for gene in genes:
            error = errors.get(gene.id, "right")
            rows.append(
                {
                    "predictor": predictor, **_place("gene", gene),
                    "probability": "" if gene.score is None else gene.score,
                    "right": "no" if gene.id in errors else "yes",
                    "class": "novel" if error == "intergenic" else error,
                    "error": "" if error == "right" else error, "cds_exons": len(_longest(gene).cds),
                    "cds_length": _longest(gene).cds_length,
                }
            )  # fmt: skip
    pd.DataFrame(rows).to_csv(path, sep="\t", index=False)


def write_rows(path: Path, columns: str, *rows: str) -> None:
    """A table of words parted by blanks; ``_`` is an empty cell, and ``~`` a blank in one."""
    lines = [columns, *rows]
    cells = [["" if word == "_" else word.replace("~", " ") for word in line.split()] for line in lines]
    path.write_text("".join("\t".join(row) + "\n" for row in cells), encoding="utf-8")


def _place(kind: str, gene: GeneModel) -> dict[str, str | int]:
    return {kind: gene.id, "contig": gene.contig, "strand": gene.strand, "start": gene.start + 1, "end": gene.end}


def _chains(gene: GeneModel) -> set[tuple]:
    return {(gene.contig, gene.strand, transcript.cds) for transcript in gene.coding_transcripts}


def _longest(gene: GeneModel):
    return max(gene.coding_transcripts, key=lambda transcript: transcript.cds_length)
