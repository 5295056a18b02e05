"""Training of DNA tokenizers, saved as ``transformers`` fast tokenizers.

Byte-pair encoding (Sennrich et al. 2016, doi:10.18653/v1/P16-1162; on DNA: DNABERT-2, Zhou et al. 2023,
arXiv:2306.15006) with the ``tokenizers`` trainer.  That trainer breaks ties between equally frequent pairs by token id,
and ids follow from sorted letters and earlier merges, so the merges do not depend on the order of its threads or hash
tables.  The vocabulary is rebuilt from the merges alone, in the order of :mod:`phytoscribe.tokenizer.segments`.
"""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from phytoscribe.errors import ConfigError
from phytoscribe.files import atomic_path, scratch_folder
from phytoscribe.genome.sequence import BASES, encode
from phytoscribe.tokenizer.segments import CONTROL_TOKENS, N_RUN_MERGES, Segmenter, special_tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

logger = logging.getLogger(__name__)

#: Longest learned token, in bases.  Without a limit satellite repeats and homopolymers grow tokens of 30 and more
#: bases: little used, and coarse where one token vector is spread over the bases it covers.
LONGEST_TOKEN = 16
#: A pair seen once is no pattern; a corpus that runs out of repeated pairs is too small for its vocabulary.
MINIMUM_PAIR_COUNT = 2
MAXIMUM_K = 8

Merge = tuple[str, str]


def make_tokenizer(
    kind: str, corpus: str | Path, vocabulary: int, k: int, species: Iterable[str], lineages: Iterable[str]
) -> PreTrainedTokenizerFast:
    """Make the tokenizer of the configured kind: ``bpe`` (uses the corpus and vocabulary) or ``kmer`` (uses k).

    Raises:
        ConfigError: the kind is unknown; also the errors of :func:`train_tokenizer` and :func:`build_kmer_tokenizer`.
    """
    if kind == "bpe":
        return train_tokenizer(corpus, vocabulary, species, lineages)
    if kind == "kmer":
        return build_kmer_tokenizer(k, species, lineages)
    raise ConfigError(f"tokenizer.kind: {kind!r} is unknown; use bpe or kmer")


def train_tokenizer(
    corpus: str | Path, vocabulary: int, species: Iterable[str] = (), lineages: Iterable[str] = ()
) -> PreTrainedTokenizerFast:
    """Train a BPE tokenizer whose vocabulary holds exactly ``vocabulary`` tokens, special ones included.

    Args:
        corpus: text file, one piece of sequence a line, letters ACGT only.
        vocabulary: number of token ids.
        species, lineages: names that each get a token.

    Raises:
        ConfigError: the vocabulary is too small for the fixed tokens, or the corpus too small for the vocabulary.
    """
    specials = special_tokens(species, lineages)
    fixed = [*specials, *BASES, *(left + right for left, right in N_RUN_MERGES)]
    learned_count = vocabulary - len(fixed)
    if learned_count < 1:
        raise ConfigError(
            f"tokenizer.vocabulary: {vocabulary} is too small, {len(fixed)} tokens are fixed (special tokens, bases, "
            f"runs of N); use at least {len(fixed) + 64}"
        )
    merges = learn_merges(corpus, learned_count)
    # Two merges may form the same token; the vocabulary holds it once.
    learned = list(dict.fromkeys(left + right for left, right in merges))
    tokens = [*fixed, *learned]
    if len(tokens) != vocabulary:
        raise ConfigError(
            f"tokenizer.vocabulary: the corpus {corpus} yields only {len(tokens)} of {vocabulary} tokens; "
            "raise tokenizer.corpus_bases or lower tokenizer.vocabulary"
        )
    logger.info("BPE: %d fixed and %d learned tokens from %d merges", len(fixed), len(learned), len(merges))
    vocab = {token: index for index, token in enumerate(tokens)}
    model = models.BPE(vocab=vocab, merges=[*N_RUN_MERGES, *merges], unk_token=CONTROL_TOKENS["unk_token"])
    return _as_transformers(Tokenizer(model), specials)


def build_kmer_tokenizer(k: int, species: Iterable[str] = (), lineages: Iterable[str] = ()) -> PreTrainedTokenizerFast:
    """Build a tokenizer of consecutive, non-overlapping k-mers; ``k=1`` gives single bases.

    A block of k bases from the start of the text is one token if it is all ACGT or all N; a block with some N, and
    the shorter rest at the end, is written in single bases.

    Raises:
        ConfigError: ``k`` is out of range.
    """
    if not 1 <= k <= MAXIMUM_K:
        raise ConfigError(f"tokenizer.k: {k} is not in 1..{MAXIMUM_K}")
    specials = special_tokens(species, lineages)
    kmers = ["".join(letters) for letters in itertools.product("ACGT", repeat=k)]
    tokens = list(dict.fromkeys([*specials, *BASES, "N" * k, *kmers]))
    vocab = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[], unk_token=CONTROL_TOKENS["unk_token"], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.FixedLength(length=k)
    return _as_transformers(tokenizer, specials)


def learn_merges(corpus: str | Path, count: int) -> list[Merge]:
    """Merges, best first, that make ``count`` new tokens out of A, C, G, T (fewer when the corpus is too small)."""
    tokenizer = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(
        vocab_size=4 + count,
        min_frequency=MINIMUM_PAIR_COUNT,
        initial_alphabet=list("ACGT"),
        limit_alphabet=4,
        max_token_length=LONGEST_TOKEN + 1,  # the trainer's bound is exclusive
        show_progress=False,
    )
    with Path(corpus).open(encoding="ascii") as lines:
        tokenizer.train_from_iterator((line.rstrip("\n") for line in lines), trainer)
    return [tuple(merge) for merge in json.loads(tokenizer.to_str())["model"]["merges"]]


def with_tokens(folder: str | Path, tokens: Iterable[str]) -> PreTrainedTokenizerFast:
    """The tokenizer saved in ``folder`` with further special tokens; their ids, in order, come behind all others."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    tokenizer.add_tokens(list(tokens), special_tokens=True)
    return tokenizer


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: str | Path, names: Iterable[str]) -> None:
    """Write the files ``names`` of the saved tokenizer into ``folder``, each by rename."""
    with scratch_folder("phytoscribe-tokenizer-") as scratch:
        tokenizer.save_pretrained(scratch)
        for name in names:
            with atomic_path(Path(folder) / name) as temporary:
                temporary.write_bytes((scratch / name).read_bytes())


def describe_tokenizer(folder: str | Path, corpus: str | Path, kind: str) -> dict[str, Any]:
    """Describe how the tokenizer saved in ``folder`` segments its corpus, for the report; lengths in bases."""
    segmenter = Segmenter(folder)
    counts = np.zeros(segmenter.vocabulary_size, dtype=np.int64)
    with Path(corpus).open(encoding="ascii") as lines:
        for line in lines:
            ids, _ = segmenter.segment(encode(line.rstrip("\n")))
            counts += np.bincount(ids, minlength=counts.size)
    bases, tokens = int(counts @ segmenter.lengths), int(counts.sum())
    return {
        "kind": kind,
        "vocabulary": segmenter.vocabulary_size,
        "sequence_tokens": int((segmenter.lengths > 0).sum()),
        "corpus_bases": bases,
        "corpus_tokens": tokens,
        "mean_token_length": round(bases / tokens, 4) if tokens else None,
        "longest_token": int(segmenter.lengths.max()),
        "unused_sequence_tokens": int((counts[segmenter.nucleotide] == 0).sum()),
    }


def _as_transformers(tokenizer: Tokenizer, specials: list[str]) -> PreTrainedTokenizerFast:
    from transformers import PreTrainedTokenizerFast

    tokenizer.add_special_tokens(specials)
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **CONTROL_TOKENS, clean_up_tokenization_spaces=False)
