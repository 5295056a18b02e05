"""Classes of transcripts by reads: literal cases, properties, and reads simulated from a genome with known genes."""

import gzip
import random
from itertools import pairwise

import pytest
from gene_models import annotations, contig_tables
from hypothesis import given, settings

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.evaluation.long_reads.alignments import ReadAlignment, ReadFilter, align_reads
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
from phytoscribe.evaluation.long_reads.isoseq import score_isoseq
from phytoscribe.evaluation.long_reads.transcript_classes import TranscriptClass, classify, transcript_table
from phytoscribe.genome.fasta import write_index
from phytoscribe.genome.sequence import decode, encode, reverse_complement
from phytoscribe.tables import TRANSCRIPTS

READ = ((100, 200), (300, 400), (500, 600), (800, 900))
OTHER = ((100, 200), (320, 400), (500, 590))
EVIDENCE = ReadEvidence(
    ReadAlignment("r", "c", "+", blocks, tuple((a[1], b[0]) for a, b in pairwise(blocks)))
    for blocks in (READ, OTHER, ((1000, 1100),))
)


@pytest.mark.parametrize(
    ("segments", "wanted"),
    [
        (READ, "full_match"),
        (((120, 200), (300, 400), (500, 600), (800, 2000)), "full_match"),
        (((150, 200), (300, 390)), "incomplete_match"),
        (((150, 200), (320, 400), (500, 600), (800, 900)), "novel_in_catalogue"),
        (((150, 200), (500, 600)), "novel_in_catalogue"),
        (((150, 200), (301, 400)), "novel_not_in_catalogue"),
        (((100, 200), (300, 400), (500, 600), (800, 850), (860, 900)), "novel_not_in_catalogue"),
        (((150, 200), (300, 310), (2000, 2100)), "novel_not_in_catalogue"),
        (((500, 560),), "mono_exonic"),
        (((1010, 1050),), "mono_exonic"),
        (((210, 290),), "intergenic"),
        (((2000, 2100), (2200, 2300)), "intergenic"),
    ],
)
def test_class_of_a_literal_transcript(segments, wanted):
    assert classify("c", "+", segments, EVIDENCE) == wanted
    elsewhere = "intergenic" if wanted == "intergenic" else "antisense"
    assert classify("c", "-", segments, EVIDENCE) == elsewhere
    assert classify("d", "+", segments, EVIDENCE) == "intergenic"


def as_read(gene: GeneModel, transcript: Transcript) -> ReadAlignment:
    return ReadAlignment(transcript.id, gene.contig, gene.strand, transcript.exons, transcript.introns)


@settings(max_examples=60, deadline=None)
@given(contig_tables().flatmap(annotations))
def test_genes_that_were_read_are_full_matches(genes):
    evidence = ReadEvidence(as_read(gene, transcript) for gene in genes for transcript in gene.transcripts)
    for gene in genes:
        for transcript in gene.coding_transcripts:
            place = (gene.contig, gene.strand)
            found = classify(*place, transcript.exons, evidence)
            assert found == ("full_match" if transcript.introns else "mono_exonic")
            inside = classify(*place, transcript.cds, evidence)
            assert inside in ("full_match", "incomplete_match") if transcript.cds_introns else inside == "mono_exonic"
    table = transcript_table({"p": genes}, evidence, evidence.contigs)
    assert set(table["cds_chain_in_read"]) <= {"yes"}
    assert set(table["cds_in_read"]) <= {"yes"}
    shuffled = ReadEvidence(reversed([as_read(g, t) for g in genes for t in g.transcripts]))
    assert transcript_table({"p": genes}, shuffled, evidence.contigs).equals(table)


@settings(max_examples=60, deadline=None)
@given(contig_tables().flatmap(annotations))
def test_one_base_beside_is_no_match(genes):
    gene = genes[0]
    evidence = ReadEvidence(as_read(gene, transcript) for transcript in gene.transcripts)
    chains = {t.introns for t in gene.transcripts}
    for transcript in gene.shifted(1).coding_transcripts:
        if transcript.introns and transcript.introns not in chains:
            assert classify(gene.contig, gene.strand, transcript.exons, evidence) is not TranscriptClass.FULL_MATCH


def spliced_sequence(rng: random.Random, exons: list[int], introns: list[int]) -> list[str]:
    """Alternating exon and intron sequences; introns begin with GT and end with AG."""

    def bases(length: int) -> str:
        return "".join(rng.choices("ACGT", k=length))

    parts = []
    for index, length in enumerate(exons):
        parts.append(bases(length))
        if index < len(introns):
            parts.append("GTAAGT" + bases(introns[index] - 16) + "TTTTTTGCAG")
    return parts


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A genome of 20 kb with five genes, and reads of them with an error in a hundred bases."""
    rng = random.Random(7)
    folder = tmp_path_factory.mktemp("simulated")
    contig, exons_of = "", {}

    def place(name, strand, exons, introns):
        nonlocal contig
        contig += "".join(rng.choices("ACGT", k=1000))
        parts = spliced_sequence(rng, exons, introns)
        text = "".join(parts)
        ends, at = [], 0
        for index, part in enumerate(parts):
            if index % 2 == 0:
                ends.append((at, at + len(part)))
            at += len(part)
        if strand == "-":
            ends = [(len(text) - end, len(text) - start) for start, end in reversed(ends)]
            text = reverse(text)
        exons_of[name] = tuple((start + len(contig), end + len(contig)) for start, end in ends), strand
        contig += text

    place("plus", "+", [300, 150, 200, 300], [120, 90, 400])
    place("minus", "-", [250, 180, 260], [100, 150])
    place("single", "+", [700], [])
    place("silent", "+", [300, 300], [100])
    place("partly", "+", [300, 200, 200, 400], [110, 110, 110])
    contig += "".join(rng.choices("ACGT", k=1000))
    (folder / "g.fa").write_text(f">c\n{contig}\n")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    reads = []
    for name, (exons, strand) in exons_of.items():
        if name == "silent":
            continue
        used = exons[2:] if name == "partly" else exons
        for number in range(5):
            text = "".join(contig[start:end] for start, end in used)
            text = text if strand == "+" else reverse(text)
            text = "".join(rng.choice("ACGT") if rng.random() < 0.01 else base for base in text)
            reads.append(f">{name}/{number}\n{text}\n")
    reads.append(">stranger\n" + "".join(rng.choices("ACGT", k=900)) + "\n")
    with gzip.open(folder / "r.fa.gz", "wt") as out:
        out.writelines(reads)
    align_reads(folder / "r.fa.gz", folder / "g.fa", folder / "r.bam", folder / "r.bam.csi", threads=1)
    return folder, exons_of


def reverse(text: str) -> str:
    return decode(reverse_complement(encode(text)))


def test_simulated_reads_give_the_classes_they_were_made_for(simulated):
    folder, exons_of = simulated
    usable = ReadFilter(folder / "r.bam")
    evidence = ReadEvidence(usable)
    assert usable.counts["used"] == 20
    assert usable.counts["unaligned"] == 1
    assert sorted(chain.reads for chains in evidence.chains.values() for chain in chains.values()) == [5, 5, 5]

    def model(name, change=lambda exons: exons, turn=False):
        exons, strand = exons_of[name.partition(".")[0]]
        exons = change(exons)
        return GeneModel(name, "c", "+-"[(strand == "-") != turn], (Transcript(f"{name}.t", exons, exons),))

    predicted = [
        model("plus"),
        model("plus.inner", lambda exons: exons[1:]),
        model("plus.skips", lambda exons: (exons[0], *exons[2:])),
        model("plus.shifted", lambda exons: (exons[0], (exons[1][0] + 3, exons[1][1]), *exons[2:])),
        model("minus"),
        model("minus.turned", turn=True),
        model("single"),
        model("silent"),
        model("partly"),
        model("partly.end", lambda exons: exons[2:]),
    ]
    table = transcript_table({"p": predicted}, evidence, ["c"]).set_index("gene")
    assert table["class"].to_dict() == {
        "plus": "full_match",
        "plus.inner": "incomplete_match",
        "plus.skips": "novel_in_catalogue",
        "plus.shifted": "novel_not_in_catalogue",
        "minus": "full_match",
        "minus.turned": "antisense",
        "single": "mono_exonic",
        "silent": "intergenic",
        "partly": "novel_not_in_catalogue",
        "partly.end": "full_match",
    }
    assert table.loc["plus", ["reads", "supporting_reads", "cds_introns", "cds_in_read"]].tolist() == [5, 5, 3, "yes"]
    assert table.loc["partly", ["reads", "supporting_reads", "cds_chain_in_read"]].tolist() == [5, 0, "no"]
    assert (table.loc["plus", "start"], table.loc["plus", "end"]) == (1001, exons_of["plus"][0][-1][1])
    scores = score_isoseq({"p": predicted}, evidence, ["c"])
    value = scores.set_index(["level", "ruler", "subset", "metric"])["value"]
    assert value["transcript", "cds_chain", "spanned", "supported"] == 4 / 6, "'partly' cannot be judged by its reads"
    assert value["read_locus", "cds_chain", "all", "supported"] == 1


def test_written_columns_are_those_of_the_table():
    table = transcript_table({"p": []}, EVIDENCE, ["c"])
    assert list(table.columns) == [*TRANSCRIPTS, "cds", "exons"]
    assert score_isoseq({"p": []}, EVIDENCE, ["c"])["n"].max() <= len(EVIDENCE.introns)
