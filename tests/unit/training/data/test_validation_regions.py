"""Where checkpoints are chosen: held-out sequence only, all species in turn, rejected and foreign loci masked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome
from phytoscribe.splits.parts import PartInterval, Parts, parts_of_genome
from phytoscribe.tokenizer.segments import Segmenter
from phytoscribe.tokenizer.training import build_kmer_tokenizer
from phytoscribe.training.data.validation import ValidationRegion, cut_regions, limit_regions, validation_intervals
from phytoscribe.training.tasks.masked_tokens.task import held_out_windows


def gene(name: str, contig: str, start: int, end: int) -> GeneModel:
    return GeneModel(name, contig, "+", (Transcript(f"{name}.1", ((start, end),), ((start, end),)),))


def region(name: str, species: str, length: int, genes: int = 1) -> ValidationRegion:
    models = [gene(f"{name}{i}", name, 0, 9) for i in range(genes)]
    return ValidationRegion(name, species, "", np.zeros(length, np.uint8), models, [])


def test_whole_contigs_are_cut_into_bounded_regions():
    parts = Parts({"a": [PartInterval(0, 1_200_000, "validate")], "b": [PartInterval(0, 10, "train")]})
    found = validation_intervals(parts)
    assert found == [("a", 0, 500_000), ("a", 500_000, 1_000_000), ("a", 1_000_000, 1_200_000)]


LOCI = pd.DataFrame(
    [("g", "a", 3_000, 4_000, "validate"), ("g", "a", 5_000, 6_000, "validate"), ("g", "a", 90, 99, "train")],
    columns=["genome", "contig", "start", "end", "part"],
)


def test_loci_get_context_and_overlapping_ones_are_joined():
    parts = parts_of_genome(LOCI, "g", {"a": 7_000}, "train", "cluster", {}, 500)
    assert validation_intervals(parts) == [("a", 1_000, 7_000)]
    assert validation_intervals(parts, context=400) == [("a", 2_600, 4_400), ("a", 4_600, 6_400)]


def test_context_that_training_sees_is_named_and_pretraining_is_measured_without_it(arabidopsis_fasta, tmp_path):
    build_kmer_tokenizer(3, ["g"], []).save_pretrained(tmp_path)
    loci = LOCI.assign(contig="Chr4")
    parts = parts_of_genome(loci, "g", {"Chr4": 7_000}, "train", "cluster", {}, 500)
    with Genome(arabidopsis_fasta) as genome:
        (found,) = cut_regions(genome, "g", "g", "L", parts, {}, {})
    assert found.seen == [(0, 1_500), (5_500, 6_000)]
    task = {"objective": "bases", "window": 7_000, "validation_windows": 5}
    ((true, _),) = held_out_windows([found], Segmenter(tmp_path), task, seed=1).asked()
    assert np.array_equal(true, [*[4] * 1_500, *found.bases[1_500:5_500], *[4] * 1_500])


def test_genes_move_into_the_region_and_others_are_masked(arabidopsis_fasta):
    genes = {
        "Chr4": [
            gene("in", "Chr4", 10_100, 10_400),
            gene("other", "Chr4", 10_600, 10_700),
            gene("cut", "Chr4", 9_000, 10_050),
        ]
    }
    tiles = [
        PartInterval(0, 10_000, "train"),
        PartInterval(10_000, 10_500, "validate"),
        PartInterval(10_500, 11_000, "hidden"),
        PartInterval(11_000, 12_000, "train"),
    ]
    with Genome(arabidopsis_fasta) as genome:
        (found,) = cut_regions(genome, "g", "s", "L", Parts({"Chr4": tiles}), genes, {"Chr4": [(10_900, 12_000)]})
        assert np.array_equal(found.bases, genome.bases("Chr4", 8_000, 12_000))
    assert [(g.id, g.contig, g.start, g.end) for g in found.genes] == [("in", found.name, 2_100, 2_400)]
    assert found.mask == [(1_000, 2_050), (2_600, 2_700), (2_900, 4_000)]
    assert found.seen == [(0, 2_000), (3_000, 4_000)]
    assert (found.species, found.lineage) == ("s", "L")


def test_the_limit_takes_species_in_turn():
    regions = [region("a1", "a", 400), region("a2", "a", 400), region("b1", "b", 300), region("empty", "c", 5, genes=0)]
    assert [r.name for r in limit_regions(regions, 700)] == ["a1", "b1"]
    assert [r.name for r in limit_regions(regions, 10)] == ["a1"]
    with pytest.raises(PhytoScribeError, match="no checkpoint can be chosen"):
        limit_regions(regions[3:], 100)
