"""AUGUSTUS: its output as gene models, and the program itself on a small contig."""

from pathlib import Path

import pytest

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import numbered
from phytoscribe.annotation.sequences import protein_of
from phytoscribe.errors import GffError, ToolError
from phytoscribe.evaluation.accuracy.augustus import predict_genes, read_augustus
from phytoscribe.genome.fasta import Genome, check_fasta, write_index
from phytoscribe.genome.sequence import decode

ROOT = Path(__file__).parents[4]
AUGUSTUS = ROOT / "tests/data/evaluation/augustus_chr5.gff.gz"
LINES = (
    'c\tAUGUSTUS\tgene\t1\t90\t0.5\t-\t.\tg1\nc\tAUGUSTUS\tCDS\t1\t30\t.\t-\t2\ttranscript_id "g1.t1"; gene_id "g1";\n'
)
LINES += 'c\tAUGUSTUS\tCDS\t61\t90\t.\t-\t0\ttranscript_id "g1.t1"; gene_id "g1";\n'


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """The first 60 kb of Chr4 as one contig, and its first 20 kb as another."""
    folder = tmp_path_factory.mktemp("genome")
    check_fasta(ROOT / "resources/example/athaliana/genome.fa.gz", folder / "all.fa")
    write_index(folder / "all.fa", folder / "all.fa.fai")
    with Genome(folder / "all.fa") as whole:
        text = decode(whole.bases("Chr4", 0, 60_000))
    (folder / "part.fa").write_text(f">short\n{text[:20_000]}\n>long\n{text}\n")
    check_fasta(folder / "part.fa", folder / "g.fa")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    with Genome(folder / "g.fa") as opened:
        yield opened


def test_all_genes_are_read_the_last_one_too():
    genes = read_augustus(AUGUSTUS)
    assert len(genes) == 288
    assert (genes[-1].id, genes[-1].start, genes[-1].end) == ("g288", 997_477, 997_939)
    assert genes[0].transcripts[0].cds == ((0, 88), (203, 804))


def test_a_literal_gene(tmp_path):
    path = tmp_path / "a.gff"
    path.write_text(LINES)
    (found,) = read_augustus(path)
    assert found.transcripts[0].cds == ((0, 30), (60, 90))
    assert (found.strand, found.score, found.transcripts[0].start_phase) == ("-", 0.5, 0)


def test_genes_of_several_runs_are_told_apart_by_their_contigs(tmp_path):
    path = tmp_path / "a.gff"
    path.write_text(LINES + LINES.replace("c\t", "d\t").replace("\t0.5\t", "\t0.7\t"))
    first, second = read_augustus(path)
    assert (first.contig, second.contig) == ("c", "d")
    assert (first.score, second.score) == (0.5, 0.7)
    assert first.transcripts[0].cds == second.transcripts[0].cds == ((0, 30), (60, 90))
    path.write_text(LINES + LINES)
    with pytest.raises(GffError, match=r"line 4: gene g1 of contig c began in line 1 already; join .* join_aug_pred"):
        read_augustus(path)


@pytest.mark.parametrize("bad", ["c\tAUGUSTUS\tCDS\t1\t30\n", "c\tAUGUSTUS\tCDS\t1\t30\t.\t-\t2\tg1\n"])
def test_bad_output_names_its_line(tmp_path, bad):
    path = tmp_path / "a.gff"
    path.write_text(LINES + bad)
    with pytest.raises(GffError, match="line 4"):
        read_augustus(path)


def test_written_and_read_again_nothing_changes(tmp_path):
    genes = list(numbered(read_augustus(AUGUSTUS), "augustus"))
    path = tmp_path / "augustus.gff3"
    with path.open("w") as handle:
        write_gff3(handle, genes, {genes[0].contig: 1_000_001})
    again = read_gff3(path)
    assert [(g.id, g.strand, [t.cds for t in g.transcripts]) for g in again] == [
        (g.id, g.strand, [t.cds for t in g.transcripts]) for g in genes
    ]


def test_the_program_finds_open_reading_frames(genome):
    """Contigs keep their own coordinates, ids are unique over contigs, and processes do not change the result."""
    found = predict_genes(genome, ["short", "long"], "arabidopsis", processes=2)
    assert {gene.contig for gene in found} == {"short", "long"}
    assert len({gene.id for gene in found}) == len(found) >= 10
    inner = [gene for gene in found if gene.start > 0 and gene.end < genome.contigs[gene.contig]]
    proteins = [protein_of(t, genome.bases(gene.contig)) for gene in inner for t in gene.transcripts]
    assert all("*" not in protein[:-1] for protein in proteins)
    assert sum(protein[0] == "M" and protein[-1] == "*" for protein in proteins) >= len(proteins) - 2


def test_an_unknown_species_is_named(genome):
    with pytest.raises(ToolError, match="triffid"):
        predict_genes(genome, ["short"], "triffid", processes=1)


def test_a_missing_program_says_how_to_install_it(genome, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match=r"augustus is not on PATH.*conda install"):
        predict_genes(genome, ["short"], "arabidopsis", processes=1)
