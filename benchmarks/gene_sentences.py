"""Gene sentences: every gene of a training set written and read back, and sentences drawn at random from the grammar.

Usage: python benchmarks/gene_sentences.py TRAINING_SET [--sentences 10000] [--seed 1] [--minimum-cds 90]

TRAINING_SET is the folder results/training_set of a run (that of config/release.yaml for the figures in isoforms.md).
First all its genes: model, sentence, model, compared in exons and CDS, and the same sentence again. Then sentences at
its multi-exon loci, with sites by random network output and words by random weights: half of them alternatives of the
annotated gene, half whole genes of any type. Every gene that comes out is checked by other code than the grammar's.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np

from phytoscribe.annotation.model import GeneModel, introns_between
from phytoscribe.annotation.sequences import reading_frame
from phytoscribe.decoding.isoform_edits import MINIMUM_EXON, Direction, FirstTranscript, LocusWindow, NetworkOutput
from phytoscribe.genome.sequence import reverse_complement
from phytoscribe.labels.states import SITE_COUNT, STATE_COUNT
from phytoscribe.sentences.gene_sentences import model_of, sentence_of_model
from phytoscribe.sentences.grammar import Grammar, Phase
from phytoscribe.sentences.sentence import MOST_TOKENS, gene_of, tokens_of
from phytoscribe.sentences.shapes import GeneSentence, bases_of, shape_of
from phytoscribe.sentences.sites import MOST_SITES, SiteTable, site_table, sites_of_isoform
from phytoscribe.sentences.tokens import FIXED, KNOWN_TYPES, SentenceError, Token
from phytoscribe.training.data.training_set import TrainingSet

#: Bases beside a gene in its window.
BESIDE = 1000
#: Sites beside a gene's own, from hardly any to all.
OTHER_SITES = (5, 30, 100, 300, MOST_SITES)
MINIMUM_INTRON = 20
#: Sentences drawn at each locus, each with other weights.
PER_LOCUS = 10


class Locus(NamedTuple):
    """A gene in its window, in the direction of transcription."""

    window: LocusWindow
    direction: Direction
    sentence: GeneSentence


def locus_of(gene: GeneModel, bases: np.ndarray, generator: np.random.Generator) -> Locus:
    """The window of a gene with random network output."""
    start, end = max(0, gene.start - BESIDE), min(bases.size, gene.end + BESIDE)
    size = end - start
    states = generator.normal(-6, 3, (2, size, STATE_COUNT)).astype(np.float32)
    sites = generator.random((2, size, SITE_COUNT)).astype(np.float32) ** 8
    output = NetworkOutput(bases[start:end], tuple(states), tuple(sites), start)
    window, direction = output.window(gene.strand, start, end)
    return Locus(window, direction, sentence_of_model(gene, direction, window.codes))


def random_table(locus: Locus, generator: np.random.Generator) -> SiteTable:
    """Candidate sites of a locus, few or many."""
    first = locus.sentence.isoforms[0]
    most = min(MOST_SITES, len(sites_of_isoform(*first)) + int(generator.choice(OTHER_SITES)))
    return site_table(FirstTranscript(*first, 0.9, 0.9), locus.window, most=most)


def grammar_of(locus: Locus, table: SiteTable, whole: bool, minimum_cds: int) -> Grammar:
    """The grammar of alternatives of the annotated gene, or of whole genes of any type."""
    first = locus.sentence.isoforms[0]
    if whole:
        return Grammar.open(table, locus.window.codes, KNOWN_TYPES, MINIMUM_INTRON, minimum_cds)
    own = (locus.sentence.gene_type,)
    return Grammar(table, locus.window.codes, first, MINIMUM_INTRON, minimum_cds, gene_types=own)


def drawn(grammar: Grammar, generator: np.random.Generator, seconds: list[float]) -> tuple[list[Token], Sequence]:
    """A sentence drawn word by word with random weights, and its isoforms; the time of every mask is noted."""
    weight = generator.choice([0.3, 1.0, 3.0])
    words = {word: generator.normal(0, weight) for word in FIXED}
    pointers = generator.normal(0, weight, len(grammar.table))
    state, said = grammar.start(), []
    while state.phase != Phase.DONE:
        begun = time.perf_counter()
        fixed, sites = grammar.allowed(state)
        seconds.append(time.perf_counter() - begun)
        numbers = np.flatnonzero(sites)
        scores = np.array([*(words.get(word, 0.0) for word in fixed), *pointers[numbers]])
        assert scores.size, f"a dead end behind {said}"
        chances = np.exp(scores - scores.max())
        chosen = int(generator.choice(scores.size, p=chances / chances.sum()))
        said.append(fixed[chosen] if chosen < len(fixed) else grammar.table.sites[numbers[chosen - len(fixed)]])
        state = grammar.after(state, said[-1])
    return said, grammar.isoforms(state)


def faults_of(gene: GeneSentence, own: int, codes: np.ndarray, minimum_cds: int) -> list[str]:
    """What is wrong with a drawn gene.

    Args:
        own: isoforms at its front that are the annotation's.
    """
    faults = []
    shape, primary = shape_of(gene.gene_type), gene.isoforms[0]
    same = [isoform.cds if shape.codes else isoform.exons for isoform in gene.isoforms]
    if len(set(same)) < len(same):
        faults.append("two isoforms are the same")
    if len(same) > 1 and not shape.alternatives:
        faults.append(f"isoforms of {gene.gene_type}")
    for isoform in gene.isoforms[own:]:
        new_exons = set(isoform.exons) - (set(primary.exons) if own else set())
        new_introns = set(introns_between(isoform.exons)) - (set(introns_between(primary.exons)) if own else set())
        if any(end - start < MINIMUM_EXON for start, end in new_exons):
            faults.append("a short exon")
        if any(end - start < MINIMUM_INTRON for start, end in new_introns):
            faults.append("a short intron")
        if shape.most_introns is not None and len(isoform.exons) > shape.most_introns + 1:
            faults.append(f"introns of {gene.gene_type}")
        if not shape.codes:
            faults += ["a CDS of a gene without protein"] * bool(isoform.cds)
            continue
        inside = all(any(s <= left and right <= e for s, e in isoform.exons) for left, right in isoform.cds)
        sequence = np.concatenate([codes[start:end] for start, end in isoform.cds])
        if not (inside and reading_frame(sequence).intact) or bases_of(isoform.cds) < minimum_cds:
            faults.append("a CDS that is no intact reading frame")
    return faults


def checked(
    locus: Locus,
    table: SiteTable,
    whole: bool,
    minimum_cds: int,
    generator: np.random.Generator,
    seconds: list[float],
) -> tuple[GeneSentence, list[str]]:
    """Draw one sentence of a locus.

    Returns:
        its gene and what is wrong with it.
    """
    codes = locus.window.codes
    grammar = grammar_of(locus, table, whole, minimum_cds)
    said, isoforms = drawn(grammar, generator, seconds)
    if not whole:
        given = GeneSentence(locus.sentence.gene_type, locus.sentence.strand, locus.sentence.isoforms[:1])
        said = [*tokens_of(given, codes)[:-1], *said]
    gene = gene_of(said, codes)
    faults = faults_of(gene, 0 if whole else 1, codes, minimum_cds)
    if tuple(isoforms) != gene.isoforms:
        faults.append("another gene than the grammar's")
    if len(said) > MOST_TOKENS or Counter(tokens_of(gene, codes)) != Counter(said):
        faults.append("another sentence when written anew")
    return gene, faults


def round_trip(training_set: TrainingSet) -> None:
    """Write and read back every gene of a training set, and say how many there are and how long it took."""
    begun, lengths, sites = time.process_time(), [], []
    counts: Counter[str] = Counter()
    for row, genes in sorted(training_set.genes.items()):
        bases = np.asarray(training_set.contig_bases(row))
        for gene in genes:
            counts["genes"] += 1
            direction = Direction(gene.strand, gene.start, gene.end)
            codes = bases[gene.start : gene.end]
            codes = codes if gene.strand == "+" else reverse_complement(codes)
            try:
                tokens = tokens_of(sentence_of_model(gene, direction, codes), codes)
            except SentenceError as error:
                counts[f"no sentence: {error.reason}"] += 1
                continue
            back = gene_of(tokens, codes)
            model = model_of(back, direction, gene.id, gene.contig)
            same = {(t.exons, t.cds) for t in gene.transcripts} == {(t.exons, t.cds) for t in model.transcripts}
            counts["the same model and sentence"] += same and tokens_of(back, codes) == tokens
            counts["with isoforms"] += len(back.isoforms) > 1
            counts["isoforms"] += len(back.isoforms)
            lengths.append(len(tokens))
            sites.append(len({site for isoform in back.isoforms for site in sites_of_isoform(*isoform)}))
    print(f"{time.process_time() - begun:.0f} s: {', '.join(f'{name} {count}' for name, count in counts.items())}")
    shares = "mean {:.1f}, median {:.0f}, 99 % {:.0f}, longest {:.0f}"
    for name, values in (("words", lengths), ("sites", sites)):
        print(name, shares.format(np.mean(values), *np.percentile(values, [50, 99, 100])))


def draw_many(training_set: TrainingSet, number: int, seed: int, minimum_cds: int) -> None:
    """Draw sentences at random loci and say what was wrong with them."""
    generator = np.random.default_rng(seed)
    rows = [row for row, genes in training_set.genes.items() if any(len(g.transcripts[0].exons) > 1 for g in genes)]
    faults: Counter[str] = Counter()
    types: Counter[str] = Counter()
    seconds: list[float] = []
    isoforms, begun = [], time.process_time()
    while len(isoforms) < number:
        genes = training_set.genes[rows[generator.integers(len(rows))]]
        gene = genes[generator.integers(len(genes))]
        start, end = max(0, gene.start - BESIDE), gene.end + BESIDE
        bases = np.asarray(training_set.contig_bases(int(gene.contig))[start:end])
        locus = locus_of(gene.shifted(-start), bases, generator)
        table = random_table(locus, generator)
        for k in range(PER_LOCUS):
            written, wrong = checked(locus, table, bool(k % 2), minimum_cds, generator, seconds)
            faults.update(wrong)
            types[written.gene_type] += 1
            isoforms.append(len(written.isoforms))
        if len(isoforms) % 500 == 0:
            print(f"{len(isoforms)} sentences, faults: {dict(faults)}", file=sys.stderr)
    took = f"in {time.process_time() - begun:.0f} s, {len(seconds)} words"
    print(f"{len(isoforms)} sentences {took}; faults: {dict(faults)}")
    print(f"isoforms: mean {np.mean(isoforms):.2f}, most {max(isoforms)}; types: {dict(types.most_common())}")
    times = np.percentile(np.array(seconds) * 1000, [50, 90, 99])
    print("which words may follow, by the clock: median {:.2f} ms, 90 % {:.2f}, 99 % {:.2f}".format(*times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("training_set", type=Path)
    parser.add_argument("--sentences", type=int, default=10_000, help="1 or more")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minimum-cds", type=int, default=90)
    parser.add_argument("--sentences-only", action="store_true", help="do not write and read back all genes")
    options = parser.parse_args()
    training_set = TrainingSet.load(options.training_set)
    if not options.sentences_only:
        round_trip(training_set)
    draw_many(training_set, options.sentences, options.seed, options.minimum_cds)


if __name__ == "__main__":
    main()
