"""Sentences to learn from: annotated isoforms beside a first transcript, in the words of the sites that are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from phytoscribe.annotation.model import introns_between
from phytoscribe.decoding.isoform_edits import MINIMUM_EXON, Chain, Isoform
from phytoscribe.decoding.settings import DecoderSettings
from phytoscribe.genome.intervals import Interval
from phytoscribe.sentences.generated import grammar_of, sites_beside
from phytoscribe.sentences.sentence import tokens_of
from phytoscribe.sentences.shapes import Codes, GeneSentence, WrittenIsoform, bases_of, chain_with
from phytoscribe.sentences.site_evidence import site_evidence
from phytoscribe.sentences.sites import SiteTable
from phytoscribe.sentences.tokens import BOS, PROTEIN_CODING, TRANSCRIPT, Reason, SentenceError, Site, Token
from phytoscribe.sentences.writing import allowed_words, kinds_of, word_ids
from phytoscribe.training.tasks.isoform_writer.loci import ReadLocus


class Example(NamedTuple):
    """What is read and written for one gene.

    Attributes:
        evidence: float16 (n, EVIDENCE); kinds: uint8 (n,), of the sites.
        words: int16 (length,), from ``[BOS]`` to ``[EOS]``.
        allowed: bool (length - 1, fixed words + n), what the grammar allows behind each word but the last.
        isoforms: that the sentence has.
    """

    evidence: npt.NDArray[np.float16]
    kinds: npt.NDArray[np.uint8]
    words: npt.NDArray[np.int16]
    allowed: npt.NDArray[np.bool_]
    isoforms: int


def example_of(locus: ReadLocus, settings: DecoderSettings) -> Example:
    """The example of a gene.

    Annotated isoforms with a site that is not read cannot be written, and are left out of the sentence: to add their
    sites to the table would tell the network that they are wanted.

    Raises:
        SentenceError: the gene has too many sites, isoforms or words.
    """
    gene = locus.gene
    table = sites_beside(gene)
    first = WrittenIsoform(gene.first.exons, gene.first.cds)
    sentence = sentence_beside(first, _long_enough(locus.wanted, settings), gene.window.codes, table)
    words = word_ids(sentence, table)
    grammar = grammar_of(table, gene, settings)
    state, allowed = grammar.start(), []
    for token, word in zip(sentence[1:], words[1:], strict=True):
        allowed.append(allowed_words(grammar, state, len(table)))
        if not allowed[-1][word]:
            text = f"the grammar forbids word {len(allowed) + 1} of the sentence beside {first}"
            raise SentenceError(Reason.NOT_THE_GRAMMAR, text)
        state = grammar.after(state, token)
    evidence = site_evidence(table, gene, settings).astype(np.float16)
    isoforms = sentence.count(TRANSCRIPT)
    kinds = kinds_of(table).astype(np.uint8)
    return Example(evidence, kinds, np.array(words, dtype=np.int16), np.stack(allowed), isoforms)


def _long_enough(wanted: Iterable[Isoform], settings: DecoderSettings) -> list[Isoform]:
    """Those that may be predicted: with a CDS and introns of enough bases."""
    return [
        isoform
        for isoform in wanted
        if bases_of(isoform.cds) >= settings.minimum_cds
        and all(end - start >= settings.minimum_intron for start, end in introns_between(isoform.cds))
    ]


def sentence_beside(first: WrittenIsoform, those: Iterable[Isoform], codes: Codes, table: SiteTable) -> list[Token]:
    """Words of the isoforms that can be written, from ``[BOS]`` to ``[EOS]``, in canonical order."""
    isoforms = [first]
    for wanted in those:
        found = next(_writable(first, wanted, codes, table), None)
        if found is not None and found not in isoforms:
            isoforms.append(found)
    return _behind_first(first, isoforms, codes)


def _behind_first(first: WrittenIsoform, isoforms: list[WrittenIsoform], codes: Codes) -> list[Token]:
    """Words behind those of the first transcript, with ``[BOS]``."""
    own = tokens_of(GeneSentence(PROTEIN_CODING, "+", (first,)), codes)
    return [BOS, *tokens_of(GeneSentence(PROTEIN_CODING, "+", tuple(isoforms)), codes)[len(own) - 1 :]]


def _writable(first: WrittenIsoform, wanted: Isoform, codes: Codes, table: SiteTable) -> Iterator[WrittenIsoform]:
    """Isoforms with a wanted CDS whose sites are all in the table, those that differ least first."""
    for exons in _chains(first.exons, wanted):
        if exons[0][0] < 0 or exons[-1][1] > codes.size:
            continue
        isoform = WrittenIsoform(exons, wanted.cds)
        try:
            words = _behind_first(first, [first, isoform], codes)
        except SentenceError:
            continue
        if all(token in table.numbers for token in words if isinstance(token, Site)):
            yield isoform


def _chains(first: Chain, wanted: Isoform) -> Iterator[Chain]:
    """Exon chains in which a CDS may lie: as much of the first transcript's as goes with it, then its own.

    Isoforms of an annotation begin and end where their reads do.  Only what changes the CDS shall be written.
    """
    start, end = first[0][0], first[-1][1]
    low, high = wanted.cds[0][0], wanted.cds[-1][1]
    coding = introns_between(wanted.cds)
    if start <= low and high <= end:
        beside = [x for x in introns_between(first) if x[1] <= low or x[0] >= high]
        yield from _whole(start, end, [*beside, *coding])
        own = [x for x in introns_between(wanted.exons) if x[0] > start and x[1] < end]
        yield from _whole(start, end, own)
    yield wanted.exons


def _whole(start: int, end: int, introns: list[Interval]) -> Iterator[Chain]:
    """The chain, unless an exon of it is too short."""
    exons = chain_with(start, end, sorted(introns))
    if all(right - left >= MINIMUM_EXON for left, right in exons):
        yield exons
