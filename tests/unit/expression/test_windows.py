"""Windows of genes: both strands against pyfaidx, codons masked, N where nothing is known, reasons."""

import numpy as np
import pyfaidx
import pytest

from phytoscribe.annotation.gene_database import GeneDatabase, write_gene_database
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import ConfigError
from phytoscribe.expression.window_table import divided, intervals_of, windows_of_genome
from phytoscribe.expression.windows import (
    BEYOND_CONTIG,
    UNKNOWN_BASES,
    WindowSettings,
    codons_of,
    window_bases,
    windows_of_genes,
)
from phytoscribe.genome.fasta import Genome, write_index
from phytoscribe.genome.sequence import N_CODE, decode, encode, reverse_complement
from phytoscribe.splits.parts import PartInterval, Parts


def text_of(pieces) -> list[str]:
    return [decode(piece) for piece in pieces]


@pytest.fixture(scope="module")
def read(chr2, arabidopsis_fasta):
    """Windows and bases of the example's Chr2 for some settings, and its models."""
    database, genes = chr2
    models = {gene.id: gene for gene in genes}

    def windows(*settings):
        wanted = WindowSettings(*settings)
        found = windows_of_genes(database, wanted)
        with Genome(arabidopsis_fasta) as genome:
            return found, window_bases(found, models, genome, wanted), models

    return windows


def test_both_strands_are_as_pyfaidx_reads_them(read, arabidopsis_fasta):
    fasta, (windows, bases, models) = pyfaidx.Fasta(str(arabidopsis_fasta), sequence_always_upper=True), read("gene")
    assert {window.span.strand for window in windows} == {"+", "-"}
    length = len(fasta["Chr2"])
    checked = 0
    for window, (first, second) in zip(windows, bases, strict=True):
        gene = models[window.span.id]
        if gene.end - gene.start < 1000 or gene.start < 1000 or gene.end + 1000 > length:
            continue
        left = fasta["Chr2"][gene.start - 1000 : gene.start + 500]
        right = fasta["Chr2"][gene.end - 500 : gene.end + 1000]
        plus = gene.strand == "+"
        wanted = (left, right) if plus else (right.reverse.complement, left.reverse.complement)
        for piece, expected in zip((first, second), wanted, strict=True):
            same, masked = piece == encode(expected.seq), piece == N_CODE
            assert (same | masked).all()
            assert (masked & ~same).sum() <= 6 * len(gene.transcripts)
        checked += 1
    assert checked > 20


def test_start_and_stop_codons_are_masked_on_both_strands(read):
    windows, bases, models = read("gene", 10, 400)
    seen = {"+": 0, "-": 0}
    for window, pieces in zip(windows, bases, strict=True):
        gene = models[window.span.id]
        cds = gene.representative.cds
        plus = gene.strand == "+"
        at = 10 + (cds[0][0] - gene.start if plus else gene.end - cds[-1][1])
        if at <= 300 and gene.end - gene.start > 1000 and cds[0 if plus else -1][1] - cds[0 if plus else -1][0] > 6:
            assert decode(pieces[0])[at : at + 3] == "NNN"
            seen[gene.strand] += 1
        behind = 10 + (gene.end - cds[-1][1] if plus else cds[0][0] - gene.start)
        if behind <= 300 and gene.end - gene.start > 1000 and cds[-1 if plus else 0][1] - cds[-1 if plus else 0][0] > 6:
            text = decode(pieces[1])
            assert text[len(text) - behind - 3 : len(text) - behind] == "NNN"
            seen[gene.strand] += 1
    assert min(seen.values()) > 10


def test_a_codon_that_an_intron_splits():
    both = [Transcript("t", ((10, 12), (20, 40)), ((10, 12), (20, 40))), Transcript("u", ((0, 50),), ((30, 36),))]
    assert codons_of(both) == [(10, 12), (20, 21), (30, 33), (33, 36), (37, 40)]


def test_a_promoter_is_the_first_flank(read):
    _, whole, _ = read("gene")
    windows, promoters, _ = read("promoter")
    np.testing.assert_array_equal(promoters, whole[:, :1, :1000])
    for window in windows:
        for start, end in window.pieces:
            assert end <= window.span.start or start >= window.span.end
    with pytest.raises(ConfigError, match=r"expression\.input: 'genes' is unknown"):
        WindowSettings("genes")


@pytest.mark.parametrize(("upstream", "downstream"), [(1000, 500), (300, 800)])
def test_flanks_show_no_base_that_a_gene_transcribes_on_both_strands(read, arabidopsis_fasta, upstream, downstream):
    windows, bases, models = read("flanks", upstream, downstream)
    sequence = str(pyfaidx.Fasta(str(arabidopsis_fasta), sequence_always_upper=True)["Chr2"])
    letters = np.array(list(sequence))
    for gene in models.values():
        letters[gene.start : gene.end] = "N"
    open_bases, longest = "".join(letters), max(upstream, downstream)
    assert bases.shape[1:] == (2, longest)
    seen = {"+": 0, "-": 0}
    for window, pieces in zip(windows, bases, strict=True):
        gene, filled = models[window.span.id], "N" * longest
        before, behind = (upstream, downstream) if gene.strand == "+" else (downstream, upstream)
        left = (filled + open_bases[max(0, gene.start - before) : gene.start])[-before:]
        right = (open_bases[gene.end : gene.end + behind] + filled)[:behind]
        if gene.strand == "-":
            left, right = (decode(reverse_complement(encode(text))) for text in (right, left))
        assert text_of(pieces) == [(filled + left)[-longest:], (right + filled)[:longest]]
        seen[gene.strand] += any(letter != "N" for letter in left + right)
    assert min(seen.values()) > 10


def test_close_neighbours_leave_no_gene_out(tmp_path):
    places = {"a": (1000, 2000, "+"), "b": (2000, 3000, "-"), "c": (3000, 4000, "+")}
    genes = [GeneModel(n, "c", strand, (Transcript(f"{n}.1", ((s, e),)),)) for n, (s, e, strand) in places.items()]
    (tmp_path / "g.fa").write_text(f">c\n{'ACGT' * 1250}\n")
    write_index(tmp_path / "g.fa", tmp_path / "g.fa.fai")
    with (tmp_path / "g.gff3").open("w") as handle:
        write_gff3(handle, genes, {"c": 5000})
    write_gene_database(tmp_path / "g.gff3", tmp_path / "g.db")
    database = GeneDatabase(tmp_path / "g.db")
    table = windows_of_genome("x", database, tmp_path / "g.gff3", tmp_path / "g.fa", WindowSettings("flanks", 600, 400))
    assert table["reason"].tolist() == ["", "", ""]
    assert table["windows"].tolist() == ["400-1000,2000-2400", "3000-3600,1600-2000", "2400-3000,4000-4400"]


SEQUENCE = "".join(np.random.default_rng(1).choice(list("ACGT"), 400))
GENES = {"short": (100, 110, "-"), "edge": (5, 60, "+"), "cut": (370, 395, "+"), "gap": (200, 240, "+")}


@pytest.fixture
def odd_genes(tmp_path):
    genes = [GeneModel(n, "c", strand, (Transcript(f"{n}.1", ((s, e),)),)) for n, (s, e, strand) in GENES.items()]
    letters = SEQUENCE[:180] + "N" * 60 + SEQUENCE[240:]
    (tmp_path / "g.fa").write_text(f">c\n{letters}\n")
    write_index(tmp_path / "g.fa", tmp_path / "g.fa.fai")
    with (tmp_path / "g.gff3").open("w") as handle:
        write_gff3(handle, genes, {"c": 400})
    write_gene_database(tmp_path / "g.gff3", tmp_path / "g.db")
    return tmp_path, {gene.id: gene for gene in genes}


def test_n_beyond_the_contig_and_beyond_the_middle_of_a_short_gene(odd_genes):
    folder, models = odd_genes
    settings = WindowSettings("gene", 20, 10)
    windows = windows_of_genes(GeneDatabase(folder / "g.db"), settings)
    with Genome(folder / "g.fa") as genome:
        found = dict(zip((w.span.id for w in windows), window_bases(windows, models, genome, settings), strict=True))
    complement = str.maketrans("ACGTN", "TGCAN")
    minus = SEQUENCE[105:130].translate(complement)[::-1], SEQUENCE[80:105].translate(complement)[::-1]
    assert text_of(found["short"]) == [minus[0] + "N" * 5, "N" * 5 + minus[1]]
    assert text_of(found["edge"]) == ["N" * 15 + SEQUENCE[:15], SEQUENCE[50:80]]
    assert text_of(found["cut"]) == [SEQUENCE[350:380], SEQUENCE[385:400] + "N" * 15]
    tss = {window.span.id: (window.tss, window.tts) for window in windows}
    assert (tss["short"], tss["edge"]) == ((109, 100), (5, 59))


def test_every_gene_has_a_line_and_those_without_a_window_a_reason(odd_genes):
    folder, _ = odd_genes
    files = (GeneDatabase(folder / "g.db"), folder / "g.gff3", folder / "g.fa")
    table = windows_of_genome("x", *files, WindowSettings("gene", 20, 10))
    reasons = {"edge": BEYOND_CONTIG, "cut": BEYOND_CONTIG, "gap": UNKNOWN_BASES, "short": ""}
    assert dict(zip(table["gene"], table["reason"], strict=True)) == reasons
    assert intervals_of(table.set_index("gene")["windows"]["edge"]) == [(0, 15), (50, 80)]
    parts = {"x": Parts({"c": [PartInterval(0, 109, "train"), PartInterval(109, 400, "test")]})}
    found = divided(table, parts, {("x", "short"): 3, ("x", "gap"): 3}).set_index("gene")
    assert found["part"].to_dict() == {"edge": "train", "short": "test", "gap": "test", "cut": "test"}
    assert found["reason"].to_dict() == reasons
    assert found["cluster"]["short"] == 3
    assert np.isnan(found["cluster"]["cut"])
