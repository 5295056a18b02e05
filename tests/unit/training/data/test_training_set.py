"""The training set: what goes in comes out, also when it was carried, or added to another."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_training_set import contig_of, small_set

from phytoscribe.annotation.checking.tables import REJECTED, TranscriptRow, write_transcripts
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.decoding.scoring import LEAST_LINEAGE_GENES, length_scores, untrained_decoders
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome, encode
from phytoscribe.genome.sequence import decode
from phytoscribe.labels.encode import label_contig, label_sites
from phytoscribe.labels.states import ACCEPTOR_BIT, DONOR_BIT, STATE_COUNT, UNKNOWN_SITE_BIT
from phytoscribe.splits.parts import TRAIN, PartInterval, Parts, write_parts
from phytoscribe.training.data import MANIFEST, TRAINING_SET_FILES
from phytoscribe.training.data.build import new_training_set
from phytoscribe.training.data.genomes import SplitGenome, build_training_set, intron_contigs
from phytoscribe.training.data.training_set import (
    COUNTED,
    SEQUENCE,
    SITES,
    SITES_ONLY,
    STRUCTURE,
    TrainingSet,
    _pack,
    _unpack,
    pack_training_set,
    unpack_training_set,
)

HELD_OUT, IGNORED = (20_000, 30_000), (50_000, 51_000)


@pytest.fixture(scope="module")
def contigs(arabidopsis_fasta):
    first = contig_of(arabidopsis_fasta, "Chr4", held_out=[HELD_OUT], ignored=[IGNORED])
    return [first, contig_of(arabidopsis_fasta, "Chr2", genes=(), use=SEQUENCE, group="more")]


@pytest.fixture(scope="module")
def made(contigs, tmp_path_factory) -> TrainingSet:
    return small_set(tmp_path_factory.mktemp("sets") / "set", contigs)


def same_genes(left: list[GeneModel], right: list[GeneModel]) -> bool:
    """Same structures; ids, contigs and attributes may differ."""
    return [(g.strand, [(t.exons, t.cds, t.start_phase) for t in g.transcripts]) for g in left] == [
        (g.strand, [(t.exons, t.cds, t.start_phase) for t in g.transcripts]) for g in right
    ]


def test_arrays_hold_sequence_weights_and_labels(made, contigs):
    first, second = contigs
    bases = made.contig_bases(0)
    assert (bases[slice(*HELD_OUT)] == 4).all()
    assert not made.weights[slice(*HELD_OUT)].any()
    assert not made.weights[slice(*IGNORED)].any()
    assert np.count_nonzero(made.weights[: first.bases.size] == COUNTED) == first.bases.size - 11_000
    known = np.bincount(made.labels[:, made.weights == COUNTED].ravel())[:STATE_COUNT]
    assert made.state_shares == pytest.approx(known / known.sum())
    assert np.array_equal(made.contig_bases(1), second.bases)
    assert not made.weights[first.bases.size :].any(), "sequence without annotation teaches no labels"
    for row, strand in enumerate("+-"):
        states, positions, targets, _ = label_contig(first.genes, strand, first.bases.size)
        assert np.array_equal(made.labels[row, : first.bases.size], states)
        assert np.array_equal(made.sites[row, : first.bases.size], label_sites(first.genes, strand, states.size))
        assert np.array_equal(made.soft_positions[row], positions)
        assert np.array_equal(made.soft_targets[row], targets)
    assert made.rows_for(STRUCTURE, SITES).tolist() == [0]
    assert made.rows_for(SEQUENCE).tolist() == [1]


def test_where_labels_cannot_express_two_genes_only_sites_are_known(arabidopsis_fasta, tmp_path):
    exons = ((1_000, 1_100), (1_600, 1_700))
    host = GeneModel("host", "Chr4", "-", (Transcript("h", exons, exons),))
    nested = GeneModel("nested", "Chr4", "-", (Transcript("n", ((1_200, 1_290),), ((1_200, 1_290),)),))
    non_coding = GeneModel("nc", "Chr4", "+", (Transcript("nc", ((1_000, 1_250), (1_400, 1_500))),))
    contig = contig_of(arabidopsis_fasta, "Chr4", genes=[host, nested], annotated=[host, nested, non_coding])
    found = small_set(tmp_path / "set", [contig])
    assert np.flatnonzero(found.weights != COUNTED).tolist() == list(range(1_200, 1_290))
    assert set(found.weights[1_200:1_290]) == {SITES_ONLY}
    assert np.flatnonzero(found.sites[0] == UNKNOWN_SITE_BIT).tolist() == [1_250, 1_399]
    assert np.flatnonzero(found.sites[1]).tolist() == [1_100, 1_599]
    assert found.manifest["counts"]["unknown"] == {"sites": 2, "states": 90}


def test_where_isoforms_are_left_out_genes_have_known_sites_and_no_known_negatives(arabidopsis_fasta, tmp_path):
    contig = contig_of(arabidopsis_fasta, "Chr4", complete_isoforms=False)
    found = small_set(tmp_path / "set", [contig])
    length = contig.bases.size
    for row, strand in enumerate("+-"):
        annotated = label_sites(contig.genes, strand, length)
        inside = np.zeros(length, dtype=bool)
        for gene in contig.genes:
            inside[gene.start : gene.end] |= gene.strand == strand
        assert annotated.any()
        assert (found.sites[row][inside & (annotated == 0)] == UNKNOWN_SITE_BIT).all()
        assert np.array_equal(found.sites[row][annotated > 0], annotated[annotated > 0])
        assert not found.sites[row][~inside].any()
        assert np.array_equal(found.labels[row], label_contig(contig.genes, strand, length).states)


def test_genes_on_hidden_sequence_stay_out_of_genes_and_lengths(made, contigs):
    seen = [g for g in contigs[0].genes if g.end <= HELD_OUT[0] or g.start >= HELD_OUT[1]]
    assert len(seen) < len(contigs[0].genes)
    assert same_genes(made.genes[0], seen)
    pooled = replace(DecoderSettings(), **length_scores(seen))
    assert made.decoders == Decoders(pooled), "too few genes for lengths of the lineage"


def test_lengths_of_a_lineage_are_those_of_its_genes_if_they_are_many(contigs):
    genes = [gene for gene in contigs[0].genes if gene.representative]
    introns = [gene for gene in genes if len(gene.representative.cds) > 1] * 3
    few = [gene for gene in genes if len(gene.representative.cds) == 1] * 2
    assert len(introns) >= LEAST_LINEAGE_GENES > len(few) >= 10
    found = untrained_decoders({"Brassicales": introns, "Poales": few, "unknown": genes * 2, "": genes * 2})
    assert found.fallback == replace(DecoderSettings(), **length_scores([*introns, *few, *genes * 4]))
    assert list(found.lineages) == ["Brassicales"]
    own, scores = found.of("Brassicales"), length_scores(introns)
    assert not scores["single_lengths"].lengths
    assert own.single_lengths == found.fallback.single_lengths, "too few: as in all lineages"
    assert own.intron_lengths == scores["intron_lengths"]
    assert own.initial_lengths == scores["initial_lengths"] != found.fallback.initial_lengths


def test_regions_come_back(made, contigs):
    (region,) = made.regions
    assert np.array_equal(region.bases, contigs[0].bases[:60_000])
    assert same_genes(region.genes, [gene for gene in contigs[0].genes if gene.end <= 60_000])
    assert {gene.contig for gene in region.genes} == {region.name}
    assert (region.species, region.lineage) == ("athaliana", "Brassicales")


def test_the_same_input_gives_the_same_bytes(made, contigs, tmp_path):
    small_set(tmp_path / "again", contigs)
    for name in TRAINING_SET_FILES:
        assert (tmp_path / "again" / name).read_bytes() == (made.folder / name).read_bytes(), name


def test_what_is_carried_is_small_and_comes_back_to_the_byte(made, tmp_path):
    pack_training_set(made.folder, tmp_path / "small")
    unpack_training_set(tmp_path / "small", tmp_path / "large")
    for name in TRAINING_SET_FILES:
        assert (tmp_path / "large" / name).read_bytes() == (made.folder / name).read_bytes(), name
    small, large = (sum(p.stat().st_size for p in folder.iterdir()) for folder in (tmp_path / "small", made.folder))
    assert small < large / 6


@settings(max_examples=50, deadline=None)
@given(st.text("ACGTN", max_size=90))
def test_sequences_survive_two_bits_a_base(text):
    bases = encode(text)
    packed, runs = _pack(bases)
    assert decode(_unpack(packed, runs, bases.size)) == text


def test_a_set_made_elsewhere_is_added_whole(made, contigs, tmp_path):
    other = small_set(tmp_path / "one", [contigs[0]])
    with new_training_set(tmp_path / "both", contigs[1].bases.size + other.bases.size) as writer:
        writer.add_contig(contigs[1])
        writer.add_inexpressible("here", [(contigs[0].genes[0], "why")])
        writer.add_set(other)
        writer.finish({})
    both = TrainingSet.load(tmp_path / "both")
    offset = contigs[1].bases.size
    assert np.array_equal(both.bases[offset:], other.bases)
    assert np.array_equal(both.labels[:, offset:], other.labels)
    for strand in (0, 1):
        assert np.array_equal(both.soft_positions[strand], other.soft_positions[strand] + offset)
        assert np.array_equal(both.soft_targets[strand], other.soft_targets[strand])
    assert same_genes(both.genes[1], other.genes[0])
    assert [region.name for region in both.regions] == [region.name for region in other.regions]
    assert both.decoders == other.decoders
    assert both.manifest["counts"]["states"] == other.manifest["counts"]["states"]
    assert both.inexpressible.to_numpy().tolist() == [["here", "Chr4", contigs[0].genes[0].id, "why"]]


def test_without_contigs_or_genes_nothing_is_written(contigs, tmp_path):
    with (
        pytest.raises(PhytoScribeError, match="no contig is left for training"),
        new_training_set(tmp_path / "set", 0) as writer,
    ):
        writer.finish({})
    with pytest.raises(PhytoScribeError, match="no accepted gene"):
        small_set(tmp_path / "set", [replace(contigs[0], genes=())])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_lacks_a_file_is_named(made, tmp_path):
    with pytest.raises(PhytoScribeError, match=r"this is no training set, bases.npy, .* is missing"):
        TrainingSet.load(tmp_path)


def test_introns_alone_teach_their_sites_and_nothing_else(tmp_path):
    introns = [
        ("ACGTACGTAC", "GTAAGT" + "T" * 40 + "CAG", "GATTACAGAT"),
        ("TTTTTTTTTT", "GCAAGT" + "A" * 50 + "TAG", "CC"),
    ]
    path = tmp_path / "introns.txt"
    path.write_text("".join(" ".join(parts) + " 12 AT1G01010\n" for parts in introns))
    (contig,) = intron_contigs(str(path), "a")
    text = decode(contig.bases)
    sites = label_sites(contig.genes, "+", len(text))
    for left, intron, right in introns:
        begin = text.index(left + intron + right) + len(left)
        assert sites[begin] == DONOR_BIT
        assert sites[begin + len(intron) - 1] == ACCEPTOR_BIT
    assert np.count_nonzero(sites) == 4
    assert contig.use == SITES
    path.write_text("ACGT GTAG\n")
    with pytest.raises(PhytoScribeError, match=r"introns.txt, line 1: needs exon, intron and exon"):
        intron_contigs(str(path), "a")


def test_genomes_of_the_split_become_a_set(arabidopsis_fasta, arabidopsis_genes, tmp_path):
    """One genome with a training contig, a held-out locus and a validation contig; introns and bare sequence beside."""
    with Genome(arabidopsis_fasta) as genome:
        lengths = {name: genome.contigs[name] for name in ("Chr4", "Chr3")}
        with (tmp_path / "g.gff3").open("w") as handle:
            transcript = Transcript("nc.1", ((70_000, 70_100), (70_300, 70_400)), type="lnc_RNA")
            annotated = [g for g in arabidopsis_genes if g.contig in lengths]
            annotated.append(GeneModel("nc", "Chr4", "-", (transcript,), "lncRNA"))
            write_gff3(handle, annotated, genome.contigs)
    with (tmp_path / "g.rejected.tsv").open("w") as handle:
        lost = TranscriptRow("lost", "lost.1", "Chr4", 100, 900, "+", REJECTED, "no_start", "")
        non_coding = TranscriptRow("nc", "nc.1", "Chr4", 70_000, 70_400, "-", REJECTED, "not_protein_coding", "lncRNA")
        write_transcripts(handle, [lost, non_coding])
    (tmp_path / "mask.bed").write_text("Chr4\t2000\t3000\n")
    tiles = [
        PartInterval(0, 40_000, TRAIN),
        PartInterval(40_000, 41_000, "hidden"),
        PartInterval(41_000, 60_000, "test"),
        PartInterval(60_000, lengths["Chr4"], TRAIN),
    ]
    parts = Parts({"Chr4": tiles, "Chr3": [PartInterval(0, lengths["Chr3"], "validate")]})
    write_parts(tmp_path / "g.parts.bed", parts)
    (tmp_path / "introns.txt").write_text("ACGTACGTAC GTAAGTTTTTTTTCAG GATTACAGAT\n")
    paths = (tmp_path / name for name in ("g.parts.bed", "g.gff3", "g.rejected.tsv"))
    source = SplitGenome("g", str(arabidopsis_fasta), *map(str, paths), "athaliana", "L", str(tmp_path / "mask.bed"))
    introns = [{"path": str(tmp_path / "introns.txt"), "species": "athaliana"}]
    build_training_set([source], tmp_path / "set", introns=introns)
    found = TrainingSet.load(tmp_path / "set")
    assert found.contigs[["species", "group", "use", "contig"]].to_numpy().tolist() == [
        ["athaliana", "athaliana", STRUCTURE, "Chr4"],
        ["athaliana", "introns", SITES, "introns_1"],
    ]
    chr4 = found.weights[: lengths["Chr4"]]
    zero = np.flatnonzero(chr4 == 0)
    assert zero.tolist() == [*range(100, 900), *range(2000, 3000), *range(40_000, 60_000)]
    assert (found.weights[lengths["Chr4"] :] == SITES_ONLY).all()
    assert [region.name for region in found.regions] == [f"g:Chr3:0-{lengths['Chr3']}"]
    assert found.manifest["genomes"][0]["accepted_genes"] == len(annotated) - 1
    assert np.flatnonzero(found.sites[1] == UNKNOWN_SITE_BIT).tolist() == [70_100, 70_299]
    assert found.manifest["counts"]["unknown"] == {"sites": 2, "states": 0}
    assert found.inexpressible["reason"].value_counts().to_dict() == found.manifest["counts"]["inexpressible"]
    assert found.manifest["genomes"][0]["validation_genes"] == len(found.regions[0].genes) > 0
    assert Path(found.folder / MANIFEST).is_file()
