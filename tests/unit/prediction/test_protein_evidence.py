"""Proteins as evidence, from files to GFF3: what is gathered, what is refused, and what it changes in a prediction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from evidence_predictions import ALIGNED, PROTEIN_WEIGHTS, predict, right

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.errors import PhytoScribeError, ToolError
from phytoscribe.files import sha256_of
from phytoscribe.genome import Genome, decode
from phytoscribe.genome.aligned_proteins import AlignedProtein, read_aligned, write_aligned
from phytoscribe.genome.fasta import write_index
from phytoscribe.prediction.gathered_proteins import LEAST_QUALITY, gather_proteins
from phytoscribe.prediction.merge import PredictionFiles


@pytest.fixture(scope="module")
def proteins(two_contigs, tmp_path_factory) -> Path:
    """The table of the proteins that are aligned, of whatever quality is used."""
    table = tmp_path_factory.mktemp("proteins") / "proteins.tsv"
    assert gather_proteins([ALIGNED], two_contigs, table) == []
    return table


@pytest.fixture(scope="module")
def weighed(two_contigs, proteins, tmp_path_factory) -> PredictionFiles:
    return predict(two_contigs, tmp_path_factory.mktemp("weighed") / "run", proteins=(proteins, PROTEIN_WEIGHTS))


def test_proteins_make_genes_right_and_say_so(from_dna, weighed, proteins, annotated):
    (file,), found = read_aligned(proteins)
    assert file.alignments == len(found) > 50
    assert min(p.quality for p in found) >= LEAST_QUALITY
    assert len(right(weighed, annotated)) > len(right(from_dna, annotated))
    lines = Path(weighed.gff3).read_text().splitlines()
    assert [line for line in lines if "evidence" in line] == [
        f"# evidence 1: {ALIGNED.name}, sha256 {sha256_of(ALIGNED)}, {len(found)} aligned proteins",
        f"# protein evidence weights: {sha256_of(PROTEIN_WEIGHTS)[:16]}",
    ]


def coding_bases(segments, strand: str, phase: int) -> dict[int, int]:
    """Which base of its codon each coding base is, by position."""
    order = [k for start, end in segments for k in range(start, end)]
    order = order if strand == "+" else order[::-1]
    return {base: (number - phase) % 3 for number, base in enumerate(order)}


def holds(transcript, protein: AlignedProtein) -> bool:
    """Whether, within the ends of an alignment, a transcript codes the same bases in the same frame."""
    first, last = protein.segments[0][0], protein.segments[-1][1]
    own = coding_bases(transcript.cds, transcript.strand, transcript.start_phase)
    phase = protein.phases[0 if protein.strand == "+" else -1]
    aligned = coding_bases(protein.segments, protein.strand, phase)
    same = {base: frame for base, frame in own.items() if first <= base < last} == aligned
    return same and protein.strand == transcript.strand and protein.coding


def test_transcripts_name_the_best_proteins_that_align_to_them(weighed, from_dna, proteins):
    found = read_aligned(proteins)[1]
    named = 0
    for gene in read_gff3(weighed.gff3):
        for transcript in gene.transcripts:
            own = [p for p in found if p.contig == gene.contig and holds(transcript, p)]
            best = dict.fromkeys(p.protein for p in sorted(own, key=lambda p: (-p.quality, p.protein)))
            names = transcript.attributes.get("supporting_proteins", "").split(",")
            assert names == (list(best)[:5] or [""])
            named += bool(own)
    assert named > 15
    assert "supporting_proteins" not in Path(from_dna.gff3).read_text()


def test_shards_and_threads_change_no_byte_and_odd_names_are_escaped(two_contigs, weighed, proteins, tmp_path):
    odd = "s;p=a,b%c&d"
    files, found = read_aligned(proteins)
    chosen = Path(weighed.gff3).read_text().partition("supporting_proteins=")[2].split("\n")[0].split(",")[0]
    found = [replace(p, protein=odd) if p.protein == chosen else p for p in found]
    write_aligned(tmp_path / "odd.tsv", files, found, ["Chr3_1065466_1464870", "Chr4"])
    other = predict(two_contigs, tmp_path / "run", None, (tmp_path / "odd.tsv", PROTEIN_WEIGHTS), shards=2, threads=2)
    for name in PredictionFiles.__slots__:
        text = Path(getattr(other, name)).read_text().replace("s%3Bp%3Da%2Cb%25c%26d", chosen)
        assert text == Path(getattr(weighed, name)).read_text(), name
    (transcript,) = [
        t for g in read_gff3(other.gff3) for t in g.transcripts if "s;" in t.attributes.get("supporting_proteins", "")
    ]
    assert transcript.attributes["supporting_proteins"].split(",")[0] == odd.replace(",", "%2C")


FAA = ">p\nMKVLAAGH\n>q\nMKK\n"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("p.faa", "", "it has no proteins"),
        ("p.faa", ">a\nATGGCN\n>b\nACGT\n", "it holds nucleotides"),
        ("p.faa", ">a\nATGGCRTTAGGGYCC\n", "it holds nucleotides"),
        ("p.faa", FAA + ">p\nMM\n", "line 5: protein 'p' was read before"),
        ("p.faa", FAA + ">r\n>s\nMM\n", "the protein 'r' has no residues"),
        ("p.faa", FAA + ">\nMM\n", "line 5: a '>' header without a name"),
        ("p.gff3", "##gff-version 3\n", "no protein is aligned in it"),
    ],
)
def test_proteins_that_are_no_evidence_stop_the_run_or_are_left_out(two_contigs, proteins, tmp_path, name, text, told):
    (tmp_path / name).write_text(text)
    files = [ALIGNED, tmp_path / name]
    with pytest.raises(PhytoScribeError, match=f"{name}.*{told}.*strict: false"):
        gather_proteins(files, two_contigs, tmp_path / "table.tsv")
    assert not (tmp_path / "table.tsv").exists()
    (warning,) = gather_proteins(files, two_contigs, tmp_path / "table.tsv", strict=False)
    assert warning.startswith(f"evidence is left out: {tmp_path / name}")
    assert read_aligned(tmp_path / "table.tsv")[1] == read_aligned(proteins)[1]


def test_alignments_to_another_assembly_with_the_same_names_are_refused(two_contigs, tmp_path):
    """Everything lies 100 bp further in it."""
    shifted = tmp_path / "shifted.fa"
    with Genome(two_contigs) as genome:
        text = {contig: decode(genome.bases(contig)) for contig in genome.contigs}
    shifted.write_text("".join(f">{contig}\n{sequence[-100:]}{sequence}\n" for contig, sequence in text.items()))
    write_index(shifted, tmp_path / "shifted.fa.fai")
    with pytest.raises(PhytoScribeError, match="% of its introns and stop codons are such in the FASTA"):
        gather_proteins([ALIGNED], shifted, tmp_path / "table.tsv")


def test_a_missing_miniprot_is_named_whatever_strict_says(two_contigs, tmp_path, monkeypatch):
    (tmp_path / "p.faa").write_text(FAA)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"miniprot is not on PATH, .*bioconda::miniprot"):
        gather_proteins([tmp_path / "p.faa"], two_contigs, tmp_path / "table.tsv", strict=False)
