"""A contig decoded in pieces by several threads: the genes of one thread, piece by piece."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from decoding_steps import CUT_OFTEN, AnyOrder, Contig, parts_of
from hypothesis import given, settings
from hypothesis import strategies as st
from rankers import random_ranker, random_ranker_with_reads
from writers import random_writer

from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding import grammar, lattice
from phytoscribe.decoding.contigs import GeneDecoding, StreamingGeneDecoder, ThreadedGeneDecoder, decode_contig
from phytoscribe.decoding.gene_classes import REGIONS, GeneClassifier
from phytoscribe.decoding.isoforms import IsoformSettings
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.decoding.site_scanner import SiteScanner
from phytoscribe.genome import Genome
from phytoscribe.genome.junctions import JunctionReads
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.labels.states import STATE_COUNT, State
from phytoscribe.prediction.pool import after, single_core_threads
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.sentences.writing import Search

RELEASED = Path(__file__).parents[3] / "resources/models/brassicales"
#: Finds many genes in random tables, with introns, and blocks that are cut while genes are open.
EAGER = DecoderSettings(minimum_intron=12, minimum_cds=30, maximum_utr=60, coding_score=1.2, intron_score=4.0)
#: Of some introns of a random contig.
READS = JunctionReads({("c", "+-"[a % 2], (a, b)): a + b for a in range(0, 2500, 3) for b in (a + 20, a + 33)})


def random_contig(seed: int, length: int, gap: tuple[int, int]) -> Contig:
    """Bases with a run of N, and tables in half precision, as the network gives them."""
    generator = np.random.default_rng(seed)
    bases = generator.integers(0, 4, length).astype(np.uint8)
    bases[gap[0] : sum(gap)] = N_CODE
    tables = []
    for _ in range(2):
        values = generator.normal(0, 2, (length, STATE_COUNT))
        values[:, :5] -= 1.6
        tables.append((values - np.logaddexp.reduce(values, axis=1)[:, None]).clip(-14).astype(np.float16))
    return bases, *tables


def without_class(gene: GeneModel) -> GeneModel:
    told = {"gene_class", "class_probability"}
    return replace(gene, attributes={key: value for key, value in gene.attributes.items() if key not in told})


def sites_of(part: Contig) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of splice sites that depend on the base alone, so that they are the same in every part."""
    return tuple((table[:, [State.LAST0, State.FIRST0]] > -2.0).astype(np.float16) * 0.9 for table in part[1:])


def features_of(part: Contig) -> tuple[np.ndarray, np.ndarray]:
    """Features that depend on the base alone."""
    return tuple(table[:, 5 : 5 + len(REGIONS)] for table in part[1:])


def random_classifier() -> GeneClassifier:
    return GeneClassifier(np.empty((0, len(REGIONS)), np.float32), np.array([0.1, 0.2, -0.3, 0.1]), 4.0, {})


def one_after_the_other(
    parts: list[Contig],
    chosen: DecoderSettings,
    isoforms: IsoformSettings | None = None,
    classifier: GeneClassifier | None = None,
) -> list[list[GeneModel]]:
    decoder = StreamingGeneDecoder("c", GeneDecoding(chosen, isoforms, classifier=classifier))
    found = [decoder.push(*part, sites_of(part), features_of(part) if classifier else None) for part in parts]
    found[-1] += decoder.finish()
    return found


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    length=st.sampled_from([1, 5, 300, 2500]),
    gap=st.tuples(st.integers(0, 2400), st.sampled_from([0, 1, 400])),
    cuts=st.lists(st.integers(1, 2499), max_size=12),
    partial_genes=st.booleans(),
    cut_often=st.booleans(),
    isoforms=st.sampled_from(
        [
            None,
            IsoformSettings(0.05, maximum=2),
            IsoformSettings(0.4, 5, ranker=random_ranker()),
            IsoformSettings(0.4, 5, ranker=random_ranker_with_reads(), junctions=READS),
        ]
    ),
    classifier=st.sampled_from([None, random_classifier()]),
)
def test_the_order_of_steps_changes_nothing(seed, length, gap, cuts, partial_genes, cut_often, isoforms, classifier):
    chosen = replace(EAGER, partial=partial_genes)
    contig = random_contig(seed, length, gap)
    parts = parts_of(contig, cuts)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (CUT_OFTEN if cut_often else {}).items():
            patch.setattr(lattice, name, value)
        wanted = one_after_the_other(parts, chosen, isoforms, classifier=classifier)
        pool = AnyOrder(seed)
        decoder = ThreadedGeneDecoder("c", GeneDecoding(chosen, isoforms, classifier=classifier), pool.after)
        features = [features_of(part) if classifier else None for part in parts]
        futures = [
            decoder.push(*part, last=part is parts[-1], sites=sites_of(part), features=more)
            for part, more in zip(parts, features, strict=True)
        ]
        pool.run()
        assert [future.result() for future in futures] == wanted
        whole = one_after_the_other([contig], chosen, isoforms, classifier=classifier)[0]
        assert list(chain.from_iterable(wanted)) == whole
        if classifier:
            assert all({"gene_class", "class_probability"} <= gene.attributes.keys() for gene in whole)
            whole = [without_class(gene) for gene in whole]
        if isoforms is None or isoforms.ranker is None:
            assert whole == decode_contig("c", *contig, chosen, isoforms=isoforms)
        else:
            first = [replace(gene, transcripts=gene.transcripts[:1]) for gene in whole]
            assert first == decode_contig("c", *contig, chosen)
    assert length < 2500 or any(wanted)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 1499), max_size=6), st.booleans())
def test_sites_do_not_depend_on_where_the_search_begins(seed, cuts, partial_genes):
    """Every bit of a row is the same: sums over the bases before it, and the last stop codon in frame."""
    contig = random_contig(seed, 1500, (700, 30))
    scanners = [SiteScanner(-6.0, True, partial_genes) for _ in range(2)]
    whole = grammar.join([scanners[0].push(*contig), scanners[0].finish()])
    stretches = [scanners[1].take(*part) for part in parts_of(contig, cuts)]
    found = [scanners[1].search(stretch) for stretch in reversed(stretches)]
    rows = grammar.join([*map(scanners[1].place, reversed(found)), scanners[1].finish()])
    assert whole.size == rows.size > 100
    for name in whole.dtype.names:
        assert np.array_equal(whole[name], rows[name]), name


@pytest.fixture(scope="module")
def real_tables(arabidopsis_fasta) -> Contig:
    """What the released network says of a part of a validation contig."""
    with Genome(arabidopsis_fasta) as genome:
        bases = genome.bases("Chr3_1065466_1464870", 0, 30_000)
    predictor = StructurePredictor.from_folder(
        RELEASED, PredictionSettings(), torch.device("cpu"), "athaliana", "Brassicales", 1
    )
    return bases, *predictor.log_probabilities(bases)


@pytest.mark.parametrize(("threads", "piece"), [(1, 24_064), (2, 5_000), (3, 777)])
def test_threads_find_the_genes_of_one(real_tables, monkeypatch, threads, piece):
    for name, value in CUT_OFTEN.items():
        monkeypatch.setattr(lattice, name, value)
    chosen = Decoders.load(RELEASED / "decoder.json").fallback
    parts = parts_of(real_tables, list(range(piece, 30_000, piece)))
    wanted = one_after_the_other(parts, chosen)
    with single_core_threads(threads) as pool:
        decoder = ThreadedGeneDecoder("c", GeneDecoding(chosen), partial(after, pool))
        futures = [decoder.push(*part, last=part is parts[-1]) for part in parts]
        assert [future.result() for future in futures] == wanted
    genes = list(chain.from_iterable(wanted))
    assert genes == decode_contig("c", *real_tables, chosen)
    assert len(genes) > 5
    # Some come before the contig has ended: there is more than one block.
    assert piece > 10_000 or wanted[-1] != genes


def test_written_isoforms_do_not_depend_on_pieces():
    isoforms = IsoformSettings(0.001, 5, writer=random_writer(Search("beam", width=2)))
    added = 0
    for seed in range(2):
        contig = random_contig(seed, 2500, (0, 0))
        whole, *_ = one_after_the_other([contig], EAGER, isoforms)
        parts = one_after_the_other(parts_of(contig, [700, 1300, 1301]), EAGER, isoforms)
        assert list(chain.from_iterable(parts)) == whole
        first = [replace(gene, transcripts=gene.transcripts[:1]) for gene in whole]
        assert first == decode_contig("c", *contig, EAGER)
        added += sum(len(gene.transcripts) - 1 for gene in whole)
    assert added
