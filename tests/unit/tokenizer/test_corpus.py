"""The tokenizer corpus: training sequence only, every base at most once, the same for the same seed."""

import random
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.errors import ConfigError
from phytoscribe.genome.fasta import Genome, write_index
from phytoscribe.genome.intervals import true_runs
from phytoscribe.genome.sequence import N_CODE, decode, reverse_complement
from phytoscribe.splits.assign import assign_splits
from phytoscribe.splits.parts import parts_of_genome
from phytoscribe.tokenizer.corpus import even_quotas, piece_texts, sample_pieces

NAME = "athaliana"
PARTS = {"Chr2": "validate", "Chr5": "test", "Chr5_25975502_26975502": "test"}


@pytest.fixture(scope="module")
def genome(arabidopsis_fasta):
    with Genome(arabidopsis_fasta) as opened:
        yield opened


def split_of(genome, genes, mode):
    rows = [(NAME, g.contig, g.start, g.end, g.strand, g.id, number) for number, g in enumerate(genes)]
    loci = pd.DataFrame(rows, columns=["genome", "contig", "start", "end", "strand", "locus", "cluster"])
    parts = PARTS if mode == "contig" else {}
    shares = {"train": 75, "validate": 10, "test": 15}
    splits = assign_splits(loci, mode, shares, {NAME: parts}, {NAME: "train"}, seed=1)
    return splits, parts_of_genome(splits, NAME, genome.contigs, "train", mode, parts, 500)


@pytest.mark.parametrize("mode", ["cluster", "contig"])
def test_no_held_out_base_is_in_the_corpus_and_no_base_twice(genome, arabidopsis_genes, mode):
    splits, parts = split_of(genome, arabidopsis_genes, mode)
    allowed = {contig: parts.of(contig, "train") for contig in genome.contigs}
    pieces = sample_pieces({NAME: genome}, {NAME: allowed}, 3_000_000, seed=1)
    seen = {contig: np.zeros(length, dtype=np.int64) for contig, length in genome.contigs.items()}
    for piece in pieces:
        seen[piece.contig][piece.start : piece.end] += 1
    assert max(counts.max() for counts in seen.values()) == 1
    not_train = splits[splits["part"] != "train"]
    assert len(not_train) > 200
    for locus in not_train.itertuples():
        flank = 500 if mode == "cluster" else 0
        assert seen[locus.contig][max(0, locus.start - flank) : locus.end + flank].sum() == 0
    if mode == "contig":
        assert all(seen[contig].sum() == 0 for contig in PARTS)
    total = sum(counts.sum() for counts in seen.values())
    assert 3_000_000 <= total < 3_001_000


def test_texts_are_the_genome_on_either_strand_without_n(genome):
    allowed = {NAME: {"Chr3": [(1000, 9000)], "Chr4": [(500, 7500)]}}
    pieces = sample_pieces({NAME: genome}, allowed, 10**9, seed=3)
    assert {piece.strand for piece in pieces} == {"+", "-"}
    for piece, text in zip(pieces, piece_texts(pieces, {NAME: genome}), strict=True):
        assert set(text) <= set("ACGT")
        assert len(text) == piece.end - piece.start <= 1000
        codes = genome.bases(piece.contig, piece.start, piece.end)
        assert text == decode(codes if piece.strand == "+" else reverse_complement(codes))


def test_the_seed_decides_the_corpus(genome):
    allowed = {NAME: {"Chr1": [(0, 2_000_000)]}}
    first = sample_pieces({NAME: genome}, allowed, 200_000, seed=1)
    assert first == sample_pieces({NAME: genome}, allowed, 200_000, seed=1)
    assert first != sample_pieces({NAME: genome}, allowed, 200_000, seed=2)


def test_gaps_are_left_out(tmp_path):
    rng = random.Random(1)
    sequence = "".join(rng.choices("ACGT", k=3000))
    sequence = sequence[:1200] + "N" * 300 + sequence[1500:2000] + "N" + sequence[2001:2020] + "N" + sequence[2021:]
    fasta = tmp_path / "g.fa"
    fasta.write_text(f">c\n{sequence}\n>n\n{'N' * 500}\n")
    write_index(fasta, f"{fasta}.fai")
    with Genome(fasta) as opened:
        whole = {"g": {"c": [(0, 3000)], "n": [(0, 500)]}}
        pieces = sample_pieces({"g": opened}, whole, 10**6, seed=1)
        places = [(piece.contig, piece.start, piece.end) for piece in pieces]
        assert places == [("c", 0, 1000), ("c", 1000, 1200), ("c", 1500, 2000), ("c", 2021, 3000)]
        with pytest.raises(ConfigError, match="no training sequence is left"):
            sample_pieces({"g": opened}, {"g": {"n": [(0, 500)]}}, 1000, seed=1)


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 1000), min_size=1), st.integers(0, 4000))
def test_quotas_use_all_they_can_and_are_even(available, total):
    quotas = even_quotas(available, total)
    assert list(quotas) == list(available)
    assert sum(quotas.values()) == min(total, sum(available.values()))
    short = [name for name in quotas if quotas[name] < available[name]]
    most = max(quotas.values())
    assert all(quotas[name] >= most - 1 for name in short)


@given(st.lists(st.integers(0, 4), max_size=80))
def test_runs_cover_all_known_bases(letters):
    codes = np.array(letters, dtype=np.uint8)
    runs = true_runs(codes != N_CODE)
    inside = np.zeros(codes.size, dtype=bool)
    for start, end in runs:
        assert start < end
        inside[start:end] = True
    assert (inside == (codes != N_CODE)).all()
    assert all(left[1] < right[0] for left, right in pairwise(runs))
