"""Which genes of a first prediction train, and what of the sequence is unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.annotation.checking.tables import ignored_loci, without_rejected
from phytoscribe.annotation.model import GeneModel
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome
from phytoscribe.training.data.confident_genes import SURROUNDINGS, check_number, confident_genes


@pytest.fixture(scope="module")
def contigs(arabidopsis_fasta) -> dict[str, int]:
    with Genome(arabidopsis_fasta) as genome:
        return dict(genome.contigs)


def scored(genes: list[GeneModel], seed: int) -> list[GeneModel]:
    """Genes with scores as a prediction has them, three decimals."""
    scores = np.random.default_rng(seed).random(len(genes)).round(3).tolist()
    return [replace(gene, score=score) for gene, score in zip(genes, scores, strict=True)]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), minimum=st.floats(0, 1))
def test_only_confident_genes_and_what_lies_beside_them_are_known(arabidopsis_genes, contigs, seed, minimum):
    genes = scored([gene for gene in arabidopsis_genes if gene.contig in ("Chr2", "Chr4")], seed)
    found = confident_genes(genes, contigs, minimum)
    assert found.accepted == without_rejected(genes, found.rejected) == [g for g in genes if g.score >= minimum]
    ignored = ignored_loci(found.rejected, {gene.id for gene in found.accepted})
    for contig in ("Chr2", "Chr4"):
        unknown, taken, hidden, close, doubtful = (np.zeros(contigs[contig], bool) for _ in range(5))
        for on, start, end in ignored:
            unknown[start:end] |= on == contig
        for gene in genes:
            if gene.contig == contig:
                inside, near = (
                    slice(gene.start, gene.end),
                    slice(max(0, gene.start - SURROUNDINGS), gene.end + SURROUNDINGS),
                )
                sure = gene.score >= minimum
                (close if sure else doubtful)[near] = True
                (taken if sure else hidden)[inside] = True
        assert (unknown[~taken] == (~close | doubtful)[~taken]).all()
        # A doubtful gene over a confident one hides the part that they share.
        assert (unknown[taken] == hidden[taken]).all()


def test_organelles_are_unknown_from_end_to_end(arabidopsis_genes, contigs):
    genes = [replace(gene, score=1.0) for gene in arabidopsis_genes if gene.contig == "Chr4"]
    plastid = [replace(gene.shifted(0, "ChrC"), id=f"c_{gene.id}") for gene in genes]
    found = confident_genes([*genes, *plastid], contigs | {"ChrC": contigs["Chr4"], "odd": 9}, 0.5, ["odd"])
    assert found.accepted == genes
    ignored = ignored_loci(found.rejected, {gene.id for gene in genes})
    assert {("ChrC", 0, contigs["Chr4"]), ("odd", 0, 9)} <= set(ignored)
    assert {row.reason for row in found.rejected if row.transcript} == {"organelle"}


def test_too_few_genes_stop_the_run_with_numbers_and_advice(arabidopsis_genes, contigs):
    found = confident_genes(scored(arabidopsis_genes[:50], 1), contigs, 0.9)
    count = len(found.accepted)
    check_number(found, "ricinus", 50, 0.9, count)
    with pytest.raises(PhytoScribeError) as caught:
        check_number(found, "ricinus", 50, 0.9, count + 1)
    for part in (
        f"ricinus: of 50 genes of the first prediction, {count} have a score of at least 0.9",
        "finetune.self.minimum_score",
        f"needs {count + 1} (finetune.self.minimum_genes)",
        "role 'predict'",
    ):
        assert part in str(caught.value)
