"""Annotations from public reports, rebuilt on genes of the example: what failed, and what has to go on working."""

import gzip
from pathlib import Path

import pytest

from phytoscribe.annotation.checking.check import CheckLimits, check_annotation
from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.annotation.cleaning.repairs import LOSSES, RepairKind
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.errors import GffError
from phytoscribe.genome import Genome

FILES = Path(__file__).parents[3] / "data/field_cases"
EXAMPLE = Path(__file__).parents[4] / "resources/example/athaliana/annotation.gff3.gz"
#: CDS of AT1G01090.1, AT1G01110.1 and a gene of one exon on Chr1, 1-based closed.
M = ((47705, 47982), (48075, 48852), (48936, 49166))
P = ((53022, 53183), (53484, 53624), (53703, 54494))
S = ((57392, 58978),)
A = ((38898, 39054), (39136, 39287), (39409, 39814), (40213, 40329), (40473, 40535), (40675, 40877))
STRAND = {M: "-", P: "+", S: "-"}


@pytest.fixture(scope="module")
def genome(arabidopsis_fasta):
    with Genome(arabidopsis_fasta) as opened:
        yield opened


def read(path, genome):
    """Genes with CDS, accepted genes, and losses."""
    genes, report = normalise(path, genome.contigs)
    accepted, rows = check_annotation(genes, genome, CheckLimits())
    return shown(genes), [gene.id for gene in accepted], rows, report


def shown(genes):
    return {
        gene.id: {t.id: tuple((start + 1, end) for start, end in t.cds) for t in gene.transcripts} for gene in genes
    }


TOLD = {
    "gffread_isoforms.gff3": {
        "AT1G01070": {"AT1G01070.1": A, "AT1G01070.2": (*A[:4], (40473, 40597))},
        "x": {"x.1": P},
    },
    "ncbi_unknown_transcript.gtf": {
        "YC34_gp03": {"unknown_transcript_1": M},
        "YC34_gp04": {"unknown_transcript_1_2": P},
        "YC34_gp05": {"unknown_transcript_1_3": S},
    },
    "utr_outside_exons.gff3": {"gene_1": {"gene_1.t1": P}},
    "genbank_gene_in_pieces.gff3": {"gene-PB1": {"rna-PB1": M}},
    "cds_below_gene_beside_mrna.gff3": {"RC45": {"RC46": M}},
    "transcript_and_mrna_line.gtf": {"g7260": {"g7260.t1": S}},
    "coge_cds_by_name.gff3": {"Bpev01.g1.m1.gene": {"Bpev01.g1.m1": M}, "Bpev01.g2.m1.gene": {"Bpev01.g2.m1": P}},
    "egapx_no_parent.gff3": {"gene-egap1": {"rna-1": M}},
    "quoted_column9.gff3": {"g1": {"g1.t1": M}},
    "fasta_like_comment_passes.gff3": {"g1": {"g1.t1": M}, "g2": {"g2.t1": P}},
    "jgi_gff2_passes.gff": {
        "CE1_30.gene": {"CE1_30": M},
        "fgenesh1_kg.1_#_2_#_TRINITY_DN906_c0_g1_i1.gene": {"fgenesh1_kg.1_#_2_#_TRINITY_DN906_c0_g1_i1": P},
    },
}


@pytest.mark.parametrize("name", TOLD)
def test_a_reported_file_gives_its_genes(genome, name):
    genes, accepted, _, report = read(FILES / name, genome)
    assert genes == TOLD[name]
    assert accepted == list(genes)
    assert [row for row in report.rows if row.kind in LOSSES] == []


def test_utrs_beside_exons_that_hold_the_cds_only_widen_these(genome):
    (gene,), report = normalise(FILES / "utr_outside_exons.gff3", genome.contigs)
    (transcript,) = gene.transcripts
    assert transcript.exons == ((52060, 52730), (52937, 53183), (53483, 53624), (53702, 54689))
    assert (gene.start, gene.end) == (52060, 54689)
    assert report.counts == {RepairKind.EXONS_WIDENED: 1}


def test_two_cds_of_one_mrna_are_two_transcripts():
    (gene,), report = normalise(FILES / "so_eden.gff3", {"ctg123": 1_497_228})
    assert shown([gene])["gene00001"] == {
        "mRNA00001": ((1201, 1500), (3000, 3902), (5000, 5500), (7000, 7600)),
        "mRNA00002": ((1201, 1500), (5000, 5500), (7000, 7600)),
        "mRNA00003": ((3301, 3902), (5000, 5500), (7000, 7600)),
        "mRNA00003.cds00004": ((3391, 3902), (5000, 5500), (7000, 7600)),
    }
    assert RepairKind.DUPLICATE_LINE not in report.counts


def line(kind, start, end, strand, attributes, phase="."):
    return f"Chr1\tx\t{kind}\t{start}\t{end}\t.\t{strand}\t{phase}\t{attributes}"


def parts(kind, segments, attributes, phases="000"):
    """Lines of a gene's segments; ``#`` becomes their number."""
    strand = STRAND[segments]
    return [
        line(kind, *segment, strand, attributes.replace("#", str(number)), phases[number] if kind == "CDS" else ".")
        for number, segment in enumerate(segments)
    ]


def whole(kind, segments, attributes):
    return line(kind, segments[0][0], segments[-1][1], STRAND[segments], attributes)


def a_gene(segments, name="g", phases="000"):
    return [
        whole("gene", segments, f"ID={name}"),
        whole("mRNA", segments, f"ID={name}.t;Parent={name}"),
        *parts("exon", segments, f"Parent={name}.t"),
        *parts("CDS", segments, f"Parent={name}.t", phases),
    ]


def nameless(start, extra=""):
    return line("exon", start, start + 70, "-", f'gene_id ""; transcript_id "unknown_transcript_1";{extra}')


def of_unknown(segments, gene):
    return parts("CDS", segments, f'gene_id "{gene}"; transcript_id "unknown_transcript_1";')


def in_quotes(row):
    """A line as R writes it: every column that is text in quotes."""
    return "\t".join(column if column.isdecimal() else f'"{column}"' for column in row.split("\t"))


#: Name: lines of the file, CDS of the accepted genes in order.
SISTERS = {
    "trna without gene": ([*of_unknown(M, "a"), nameless(60_000), *of_unknown(P, "b")], [M, P]),
    "trnas by number": (
        [*of_unknown(M, "a"), nameless(60_000, ' exon_number "1";'), nameless(61_000, ' exon_number "1";')],
        [M],
    ),
    "tsebra": (
        [
            whole("gene", M, "g2"),
            whole("transcript", M, "g2.t1;Parent=g2"),
            *parts("CDS", M, 'transcript_id "g2.t1"; gene_id "g2";'),
        ],
        [M],
    ),
    "quoted by R": ([in_quotes(row) for row in a_gene(P)], [P]),
    "quoted gtf": (
        [row[: row.rindex("\t") + 1] + '"gene_id ""g""; transcript_id ""t"";"' for row in parts("CDS", P, "")],
        [P],
    ),
    "pieces below a gene": ([*parts("gene", M, "ID=g"), *parts("CDS", M, "ID=c;Parent=g", "200")], [M]),
    "pieces without flag": (
        [*parts("gene", P, "ID=g"), *parts("mRNA", P, "ID=t;Parent=g"), *parts("CDS", P, "ID=c;Parent=t")],
        [P],
    ),
    "some gene lines": (
        [
            whole("gene", M, 'gene_id "a"'),
            *parts("CDS", M, 'gene_id "a"; transcript_id "t"'),
            *parts("CDS", P, 'gene_id "b"; transcript_id "u"'),
        ],
        [M, P],
    ),
    # What worked.
    "phases inverted": (a_gene(M, phases="111"), [M]),
    "phases missing": (a_gene(M, phases="..."), [M]),
    "sequence without directive": ([*a_gene(M), ">Chr1", "ACGT", *a_gene(P, "h")], [M, P]),
    "own parent": ([whole("mRNA", M, "ID=t;Parent=t"), *parts("CDS", M, "Parent=t")], [M]),
    "transcript_id of its own": ([row.replace("ID=g.t;", "ID=g.t;transcript_id=XM_1;") for row in a_gene(P)], [P]),
    "protein_coding_gene": ([row.replace("\tgene\t", "\tprotein_coding_gene\t") for row in a_gene(M)], [M]),
    "stop codon outside": (
        [
            whole("gene", P, "ID=g"),
            whole("mRNA", P, "ID=t;Parent=g"),
            *parts("CDS", P, "Parent=t")[:-1],
            line("CDS", 53703, 54491, "+", "Parent=t", "0"),
            line("stop_codon", 54492, 54494, "+", "Parent=t", "0"),
            line("initial", 53022, 53183, "+", "Parent=t"),
            line("5'-UTR", 53000, 53021, "+", "Parent=t"),
            line("three_prime_utr", 54495, 54500, "+", "Parent=t"),
        ],
        [P],
    ),
    "blank lines, blanks and matches": (
        [*a_gene(M, "g%20a"), "", line("match", 47705, 49166, "-", "ID=m;"), "##FASTA", ">Chr1", "ACGT"],
        [M],
    ),
    "gene without children": ([whole("gene", P, "ID=h"), *a_gene(M)], [M]),
    "sequence-region": (["##sequence-region Chr1 47705 49166", "##sequence-region ChrX 1 9", *a_gene(M)], [M]),
    "raw semicolon": ([row.replace("ID=g;", "ID=g;description=a; b;") for row in a_gene(M)], [M]),
    "blanks around": ([row.replace("=", " = ").replace(";", " ; ") + "  " for row in a_gene(M)], [M]),
}


@pytest.mark.parametrize("name", SISTERS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_genes_of_a_layout_are_accepted(tmp_path, genome, name, end):
    lines, expected = SISTERS[name]
    (tmp_path / "a.gff").write_text(end.join(lines), encoding="utf-8", newline="")
    genes, accepted, _, report = read(tmp_path / "a.gff", genome)
    assert [cds for gene in accepted for cds in genes[gene].values()] == expected
    lost = [row for row in report.rows if row.kind in LOSSES]
    assert {row.id for row in lost} <= {"h", "m"}  # the gene without children, and the match


def test_ids_that_start_again_are_genes_of_their_own(tmp_path, genome):
    lines = [*parts("CDS", M, 'gene_id "g1"; transcript_id "t1"')]
    lines += [row.replace("Chr1", "Chr2") for row in lines]
    lines += parts("CDS", P, 'gene_id "g1"; transcript_id "t1"')
    (tmp_path / "a.gtf").write_text("\n".join(lines))
    genes, accepted, _, _ = read(tmp_path / "a.gtf", genome)
    assert genes == {"g1": {"t1": M}, "g1_2": {"t1_2": M}, "g1_3": {"t1_3": P}} | genes
    assert len(genes) == 3
    assert len(accepted) == 2


@pytest.mark.parametrize("key", ["geneID", "gene_id", "locus_tag", "gene", "Name"])
def test_isoforms_share_a_gene_and_genes_of_one_name_far_apart_do_not(tmp_path, genome, key):
    lines = []
    for number, segments in enumerate((M, M[1:], P, S), start=1):
        STRAND.setdefault(segments, "-")
        lines += [whole("mRNA", segments, f"ID=t{number};{key}=G"), *parts("CDS", segments, f"Parent=t{number}")]
    (tmp_path / "a.gff3").write_text("\n".join(lines))
    genes, *_ = read(tmp_path / "a.gff3", genome)
    assert [list(transcripts) for transcripts in genes.values()] == [["t1", "t2"], ["t3"], ["t4"]]


def test_the_example_without_gene_lines_has_its_genes_again(tmp_path, genome):
    with gzip.open(EXAMPLE, "rt") as source, (tmp_path / "a.gff3").open("w") as out:
        for row in source:  # as gffread writes them
            if "\tgene\t" not in row and "_UTR\t" not in row:
                out.write(row.replace(";Parent=", ";geneID=") if "\tmRNA\t" in row else row)
    genes, report = normalise(tmp_path / "a.gff3", genome.contigs)
    assert len(genes) == 2131
    assert shown(genes) == shown(read_gff3(EXAMPLE, genome.contigs))
    assert str(report.genes) == "0 lines + 2131 gene_made = 2131"


def test_trans_spliced_pieces_stay_apart(tmp_path, genome):
    mark = ";exception=trans-splicing"
    lines = [*a_gene(P, "h"), *parts("gene", M, f"ID=g{mark};part=#"), *parts("CDS", M, f"ID=c;Parent=g{mark}", "200")]
    (tmp_path / "a.gff3").write_text("\n".join(lines))
    genes, accepted, _, report = read(tmp_path / "a.gff3", genome)
    assert accepted == ["h"]
    assert len(genes) == 4
    assert report.genes.is_even


def test_overlapping_exons_and_tiny_genes_do_not_harm_their_neighbours(tmp_path, genome):
    lines = [*a_gene(M), line("gene", 51000, 51002, "+", "ID=tiny"), *a_gene(P, "h")]
    lines.append(line("exon", 53500, 53720, "+", "Parent=h.t"))
    (tmp_path / "a.gff3").write_text("\n".join(lines))
    _, accepted, rows, report = read(tmp_path / "a.gff3", genome)
    assert accepted == ["g"]
    assert [row.reason for row in rows if row.gene == "h"] == ["overlapping_exons"]
    assert [row.id for row in report.rows if row.kind in LOSSES] == ["tiny"]


def test_a_pseudogene_below_a_pseudogene_does_not_code(tmp_path, genome):
    lines = [whole("pseudogene", P, "ID=p"), whole("pseudogene", P, "ID=q;Parent=p"), *parts("exon", P, "Parent=q")]
    (tmp_path / "a.gff3").write_text("\n".join(lines))
    genes, accepted, rows, _ = read(tmp_path / "a.gff3", genome)
    assert (list(genes), accepted, [row.reason for row in rows]) == (["p"], [], ["not_protein_coding"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\t47705\t", "\t4.7705e+04\t", "line 1: start '4.7705e\\+04'"),
        ("\t47705\t", "\t0\t", "line 1: start 0"),
        ("ID=g", "ID=g\tx", "line 1: 10 tab-separated columns"),
        ("ID=g", "ID=g\0", "line 1: a NUL byte"),
    ],
)
def test_a_broken_line_is_named(tmp_path, genome, old, new, message):
    (tmp_path / "a.gff3").write_text("\n".join(a_gene(M)).replace(old, new))
    with pytest.raises(GffError, match=f"a.gff3, {message}"):
        normalise(tmp_path / "a.gff3", genome.contigs)
