"""Cut sequence into tokens for the encoder: token ids, and the number of bases that each token covers.

The same code serves learned vocabularies (variable lengths) and k-mers (fixed length), as the saved tokenizer defines.

Token ids are given in this order: control tokens (``[PAD]`` is 0), species and lineages, gene types, gene-structure
tokens, the five bases, runs of N, and last the tokens of the tokenizer kind (learned merges, or all k-mers).  A
generative decoder that writes gene sentences uses the same ids.
"""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from phytoscribe.errors import ModelError
from phytoscribe.genome.sequence import BASES, Bases, decode, encode

TokenIds = npt.NDArray[np.int32]

#: Files of a saved tokenizer.
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
#: As `transformers` calls them.
CONTROL_TOKENS = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask", "bos", "eos")}
PAD, MASK = CONTROL_TOKENS["pad_token"], CONTROL_TOKENS["mask_token"]
UNKNOWN = "unknown"

GENE_TYPES = (UNKNOWN, "protein_coding", "lncRNA", "miRNA", "rRNA", "snRNA", "snoRNA", "tRNA", "ncRNA", "pseudogene")
GENE_TYPES += ("transposable_element_gene",)
STRUCTURE_TOKENS = ("<gene>", "<transcript>", "<exon>", "<CDS>", "<five_prime_UTR>", "<three_prime_UTR>", "<+>", "<->")
STRUCTURE_TOKENS += ("<phase:0>", "<phase:1>", "<phase:2>", *(f"<{digit}>" for digit in range(10)), "<sep>")

#: An assembly gap costs one token for eight bases, about what other sequence costs, so that a window across a gap is
#: not longer in tokens than its neighbours.  Corpora hold no N: these merges are given, not learned.
N_RUN_MERGES = (("N", "N"), ("NN", "NN"), ("NNNN", "NNNN"))


def copy_tokenizer(source: Path, folder: Path) -> None:
    """Copy the tokenizer saved in ``source`` into another folder."""
    for name in TOKENIZER_FILES:
        shutil.copyfile(source / name, folder / name)


def species_token(name: str) -> str:
    """Token of a species (a genome's name in the configuration)."""
    return f"<species:{name}>"


def lineage_token(name: str) -> str:
    """Token of a lineage, e.g. a plant order."""
    return f"<lineage:{name}>"


def special_tokens(species: Iterable[str], lineages: Iterable[str]) -> list[str]:
    """All non-sequence tokens, in order of id; names are sorted, so their order in a config is irrelevant."""
    return [
        *CONTROL_TOKENS.values(),
        species_token(UNKNOWN),
        lineage_token(UNKNOWN),
        *(species_token(name) for name in sorted(set(species) - {UNKNOWN})),
        *(lineage_token(name) for name in sorted(set(lineages) - {UNKNOWN})),
        *(f"<gene_type:{name}>" for name in GENE_TYPES),
        *STRUCTURE_TOKENS,
    ]


class Segmenter:
    """A saved tokenizer that works on base codes instead of text.

    Attributes:
        vocabulary_size: number of token ids.
        pad_id, mask_id: ids of ``[PAD]`` and ``[MASK]``.
        lengths: int32[vocabulary_size], bases per token; 0 for non-sequence tokens.
        token_bases: uint8[vocabulary_size, longest token], base codes per token, filled up with 5.
        token_length: bases per token of a k-mer tokenizer, 0 if lengths vary.
        nucleotide: bool[vocabulary_size], true for tokens of only A, C, G, T, which masked language modelling may mask
            or draw.
    """

    def __init__(self, folder: str | Path):
        """Load ``folder/tokenizer.json``.

        Raises:
            ModelError: the file is missing or is not a PhytoScribe tokenizer.
        """
        path = Path(folder) / "tokenizer.json"
        if not path.is_file():
            raise ModelError(f"{path}: no such file; a tokenizer folder holds tokenizer.json")
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # what `tokenizers` raises on any damaged file
            raise ModelError(f"{path}: not a saved tokenizer ({error})") from error
        vocabulary = self._tokenizer.get_vocab(with_added_tokens=True)
        missing = [token for token in (PAD, MASK, *BASES) if token not in vocabulary]
        if missing or sorted(vocabulary.values()) != list(range(len(vocabulary))):
            raise ModelError(f"{path}: not a PhytoScribe tokenizer, it lacks {' '.join(missing) or 'some ids'}")
        self._ids = vocabulary
        self.vocabulary_size = len(vocabulary)
        self.pad_id = vocabulary[PAD]
        self.mask_id = vocabulary[MASK]
        self.lengths, self.token_bases = _token_tables(vocabulary)
        # A padding base (code 5 here) counts as "not N": only the token's own bases matter.
        self.nucleotide = (self.lengths > 0) & (self.token_bases != BASES.index("N")).all(axis=1)

        self.token_length = _fixed_length(self._tokenizer)
        if self.token_length:
            words = ["".join(letters) for letters in itertools.product("ACGT", repeat=self.token_length)]
            # By the k-mer's number (base 4, leftmost base first), and last of the block of N.
            self._block_ids = np.array([vocabulary[word] for word in (*words, "N" * self.token_length)], np.int32)

    def species_id(self, name: str) -> int:
        """Id of a species' token, or of ``<species:unknown>`` if it has none."""
        return self._ids.get(species_token(name), self._ids[species_token(UNKNOWN)])

    def lineage_id(self, name: str) -> int:
        """Id of a lineage's token, or of ``<lineage:unknown>`` if it has none."""
        return self._ids.get(lineage_token(name), self._ids[lineage_token(UNKNOWN)])

    def segment(self, bases: Bases) -> tuple[TokenIds, TokenIds]:
        """Tokens of a sequence.

        Args:
            bases: uint8[L], base codes; N allowed anywhere.

        Returns:
            ids int32[T] and lengths int32[T], in order along the sequence; ``lengths.sum() == L``.
        """
        encoding = self._tokenizer.encode(decode(bases), add_special_tokens=False)
        ids = np.array(encoding.ids, dtype=np.int32)
        lengths = self.lengths[ids]
        if lengths.sum() != bases.size:
            raise ModelError(f"the tokenizer covers {lengths.sum()} of {bases.size} bases: its vocabulary is damaged")
        return ids, lengths

    def cut(self, bases: Bases) -> tuple[TokenIds, TokenIds]:
        """Tokens of a window for the structure model, which also reads the bases themselves.

        As :meth:`segment`, but a k-mer tokenizer keeps its grid everywhere: a block with some N, or a shorter block at
        the window's end, becomes one N token.
        """
        if not self.token_length:
            return self.segment(bases)
        k = self.token_length
        count = -(-bases.size // k)
        blocks = np.full(count * k, BASES.index("N"), dtype=np.int64)
        blocks[: bases.size] = bases
        blocks = blocks.reshape(count, k)
        numbers = blocks @ (4 ** np.arange(k - 1, -1, -1))
        numbers[(blocks == BASES.index("N")).any(axis=1)] = 4**k
        lengths = np.full(count, k, dtype=np.int32)
        lengths[-1:] -= count * k - bases.size
        return self._block_ids[numbers], lengths

    def desegment(self, ids: TokenIds) -> Bases:
        """Base codes uint8[L] of tokens, the inverse of :meth:`segment`; special tokens have no bases."""
        bases = self.token_bases[ids]
        return bases[bases < len(BASES)]

    def token(self, token_id: int) -> str:
        """Text of one token."""
        return self._tokenizer.id_to_token(token_id)


def _fixed_length(tokenizer: Tokenizer) -> int:
    """Block length of a tokenizer that cuts text into blocks, else 0."""
    before = json.loads(tokenizer.to_str())["pre_tokenizer"]
    return int(before["length"]) if before and before["type"] == "FixedLength" else 0


def _token_tables(vocabulary: dict[str, int]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """``lengths`` int32[V] and ``bases`` uint8[V, longest token], filled up with 5, of tokens made of ACGTN only."""
    sequences = {token: index for token, index in vocabulary.items() if set(token) <= set(BASES)}
    lengths = np.zeros(len(vocabulary), dtype=np.int32)
    bases = np.full((len(vocabulary), max(map(len, sequences))), len(BASES), dtype=np.uint8)
    for token, index in sequences.items():
        lengths[index] = len(token)
        bases[index, : len(token)] = encode(token)
    return lengths, bases
