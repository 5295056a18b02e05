"""The tokenizer: an exactly filled vocabulary, the same bytes every time, and nothing lost on the way back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.errors import ConfigError, ModelError
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.sequence import N_CODE, decode, encode
from phytoscribe.tokenizer.corpus import piece_texts, sample_pieces
from phytoscribe.tokenizer.segments import CONTROL_TOKENS, Segmenter, special_tokens
from phytoscribe.tokenizer.training import (
    LONGEST_TOKEN,
    build_kmer_tokenizer,
    describe_tokenizer,
    make_tokenizer,
    save_tokenizer,
    train_tokenizer,
)

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"
FILES = ("tokenizer.json", "tokenizer_config.json")
NAMES = {"species": ["athaliana", "bnapus"], "lineages": ["Brassicales"]}
VOCABULARY = 2048
KINDS = ["bpe", "kmer6", "kmer4", "kmer1"]


@pytest.fixture(scope="module")
def corpus(arabidopsis_fasta, tmp_path_factory):
    """1 Mb of Chr1."""
    path = tmp_path_factory.mktemp("corpus") / "corpus.txt"
    with Genome(arabidopsis_fasta) as genome:
        pieces = sample_pieces({"a": genome}, {"a": {"Chr1": [(0, 2_900_000)]}}, 1_000_000, seed=1)
        path.write_text("".join(f"{text}\n" for text in piece_texts(pieces, {"a": genome})))
    return path


@pytest.fixture(scope="module")
def folders(corpus, tmp_path_factory):
    """A saved tokenizer of each kind."""
    root = tmp_path_factory.mktemp("tokenizers")
    for kind in KINDS:
        made = make_tokenizer(kind[:4].rstrip("0123456789"), corpus, VOCABULARY, int(kind[4:] or 1), **NAMES)
        save_tokenizer(made, root / kind, FILES)
    return {kind: root / kind for kind in KINDS}


@pytest.fixture(scope="module")
def segmenters(folders):
    return {kind: Segmenter(folder) for kind, folder in folders.items()}


@pytest.fixture(scope="module")
def test_contig(arabidopsis_fasta):
    """1 Mb that no tokenizer has seen, with gaps put in: single N, runs, at both ends."""
    with Genome(arabidopsis_fasta) as genome:
        bases = genome.bases("Chr5_25975502_26975502").copy()
    for start, end in [(0, 3), (100, 101), (5000, 5777), (5778, 5780), (800_000, 810_001), (999_990, bases.size)]:
        bases[start:end] = N_CODE
    return bases


def test_learned_merges_fill_the_vocabulary_exactly(folders):
    saved = json.loads((folders["bpe"] / "tokenizer.json").read_text())["model"]
    vocabulary = saved["vocab"]
    assert sorted(vocabulary.values()) == list(range(VOCABULARY))
    fixed = len(special_tokens(**NAMES)) + 5 + 3
    learned = [token for token, index in vocabulary.items() if index >= fixed]
    assert len(learned) == VOCABULARY - fixed
    assert all(set(token) <= set("ACGT") and 2 <= len(token) <= LONGEST_TOKEN for token in learned)
    assert {left + right for left, right in saved["merges"]} == {*learned, "NN", "NNNN", "NNNNNNNN"}


def test_control_tokens_come_first_and_names_are_sorted(segmenters):
    segmenter = segmenters["bpe"]
    assert [segmenter.token(index) for index in range(7)] == list(CONTROL_TOKENS.values())
    assert (segmenter.pad_id, segmenter.mask_id) == (0, 4)
    assert special_tokens(["b", "a", "a"], []) == special_tokens(["a", "b"], [])
    assert segmenter.token(segmenter.species_id("bnapus")) == "<species:bnapus>"
    assert segmenter.token(segmenter.species_id("zmays")) == "<species:unknown>"
    assert segmenter.token(segmenter.lineage_id("Poales")) == "<lineage:unknown>"
    assert segmenter.token(segmenter.lineage_id("Brassicales")) == "<lineage:Brassicales>"
    assert not segmenter.nucleotide[: len(special_tokens(**NAMES))].any()


TRAIN = """
import sys
from phytoscribe.tokenizer.training import save_tokenizer, train_tokenizer
tokenizer = train_tokenizer(sys.argv[1], 1024, ["a"], ["b"])
save_tokenizer(tokenizer, sys.argv[2], ("tokenizer.json", "tokenizer_config.json"))
"""


def test_two_trainings_give_the_same_bytes_whatever_threads_and_line_order(corpus, tmp_path):
    reversed_corpus = tmp_path / "reversed.txt"
    reversed_corpus.write_text("".join(reversed(corpus.read_text().splitlines(keepends=True))))
    runs = [(corpus, "1"), (corpus, "4"), (reversed_corpus, "2")]
    for number, (text, threads) in enumerate(runs):
        environment = os.environ | {"PYTHONPATH": str(SCRIPTS), "RAYON_NUM_THREADS": threads}
        command = [sys.executable, "-c", TRAIN, str(text), str(tmp_path / str(number))]
        subprocess.run(command, env=environment, check=True)
    for name in FILES:
        assert len({(tmp_path / str(number) / name).read_bytes() for number in range(len(runs))}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_megabase_with_gaps_comes_back_unchanged(segmenters, test_contig, kind):
    segmenter = segmenters[kind]
    for width in (8192, 16_384, test_contig.size):
        for start in range(0, test_contig.size, width):
            window = test_contig[start : start + width]
            ids, lengths = segmenter.segment(window)
            assert ids.dtype == lengths.dtype == np.int32
            assert lengths.sum() == window.size
            assert lengths.min() > 0
            assert (segmenter.desegment(ids) == window).all()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(letters=st.lists(st.sampled_from([0, 1, 2, 3, 4, 4, 4]), max_size=120))
def test_any_sequence_comes_back_unchanged(segmenters, kind, letters):
    segmenter = segmenters[kind]
    bases = np.array(letters, dtype=np.uint8)
    ids, lengths = segmenter.segment(bases)
    assert (segmenter.desegment(ids) == bases).all()
    assert (segmenter.lengths[ids] == lengths).all()
    ends = np.cumsum(lengths)
    for token, start, end in zip(ids, ends - lengths, ends, strict=True):
        assert segmenter.token(token) == decode(bases[start:end])
        assert segmenter.nucleotide[token] == (bases[start:end] != N_CODE).all()


def test_gaps_cost_no_more_tokens_than_sequence(segmenters, test_contig):
    for segmenter in (segmenters["bpe"], segmenters["kmer4"]):
        sequence, _ = segmenter.segment(test_contig[10_000:18_192])
        gap, _ = segmenter.segment(test_contig[800_000:808_192])
        assert len(gap) <= len(sequence)


def test_kmers_have_a_fixed_length_but_beside_gaps_and_at_the_end(segmenters):
    ids, lengths = segmenters["kmer4"].segment(encode("ACGTACGTNNNNAANNACGTAC"))
    assert lengths.tolist() == [4, 4, 4, 1, 1, 1, 1, 4, 1, 1]
    assert [segmenters["kmer4"].token(index) for index in ids[[0, 2, 3]]] == ["ACGT", "NNNN", "A"]
    assert segmenters["kmer1"].segment(encode("ACNGT"))[1].tolist() == [1] * 5


@pytest.mark.parametrize("kind", KINDS)
def test_transformers_loads_it_with_the_same_ids(folders, segmenters, test_contig, kind):
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(folders[kind])
    assert len(tokenizer) == segmenters[kind].vocabulary_size
    assert (tokenizer.pad_token_id, tokenizer.mask_token_id) == (segmenters[kind].pad_id, segmenters[kind].mask_id)
    text = decode(test_contig[4000:6000])
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert ids == segmenters[kind].segment(test_contig[4000:6000])[0].tolist()
    assert tokenizer.decode(ids) == text
    sentence = tokenizer.tokenize("<species:athaliana><gene_type:protein_coding><gene><+><phase:2><1><0><sep>[MASK]")
    assert len(sentence) == 9
    assert "[UNK]" not in sentence


def test_statistics_describe_the_corpus(folders, corpus):
    figures = describe_tokenizer(folders["bpe"], corpus, "bpe")
    assert figures["corpus_bases"] == sum(len(line.strip()) for line in corpus.open())
    assert figures["vocabulary"] == VOCABULARY
    assert 4 < figures["mean_token_length"] < 6
    assert describe_tokenizer(folders["kmer1"], corpus, "kmer")["mean_token_length"] == 1


def test_a_vocabulary_that_cannot_be_filled_is_refused(tmp_path, corpus):
    small = tmp_path / "small.txt"
    small.write_text("ACGTACGGTCATT\n")
    with pytest.raises(ConfigError, match=r"tokenizer\.vocabulary: the corpus .* yields only \d+ of 1024 tokens"):
        train_tokenizer(small, 1024)
    with pytest.raises(ConfigError, match=r"tokenizer\.vocabulary: 40 is too small"):
        train_tokenizer(corpus, 40)
    with pytest.raises(ConfigError, match=r"tokenizer\.k: 9"):
        build_kmer_tokenizer(9)
    with pytest.raises(ConfigError, match=r"tokenizer\.kind: 'wordpiece'"):
        make_tokenizer("wordpiece", corpus, 1024, 6, [], [])


def test_a_folder_without_a_tokenizer_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"tokenizer\.json: no such file"):
        Segmenter(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="not a saved tokenizer"):
        Segmenter(tmp_path)
