"""tRNA, rRNA and other RNA genes: real ones of *A. thaliana*, on both strands, whatever the pieces and threads."""

from __future__ import annotations

import gzip
import shutil
import sys
from pathlib import Path

import pybarrnap.config
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phytoscribe.errors import ToolError
from phytoscribe.genome.fasta import Genome, write_index
from phytoscribe.noncoding import PRESSED, pressed_mistake, trna
from phytoscribe.noncoding.pieces import Rna, runs_of, search
from phytoscribe.noncoding.rfam import family_type, find_ncrna
from phytoscribe.noncoding.rrna import find_rrna
from phytoscribe.noncoding.trna import find_trna, read_aragorn, read_trnascan

ROOT = Path(__file__).parents[3]
#: AT1G49460, tRNA-Tyr with an intron, bases 11 to 95 of its 105; tRNAscan-SE gives it the same intron.
TYR = "TTAAGCACAACCGACCTTAGCTCAGTTGGTAGAGCGGAAGACTGTAGTGTTTGCAGACAATCTTTAGGTCGCTGGTTCGATTCCGGCAGGTCGGATTTTTAATGT"
#: AT1G01270, tRNA-Gln, on the other strand.
GLN = "AATAAAAATAGGTTCCACCGAGACTTGAACTCGGGTTACTAGATTCAGAGTCTAGTGTCCTAACCGCTAGACCATGGAACCGCTTGATGTT"
#: pybarrnap brings four families of Rfam, pressed.
MODELS = str(pybarrnap.config.KINGDOM2CM_DB["euk"])


def reverse(sequence: str) -> str:
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


def genome_of(folder: Path, **contigs: str) -> Genome:
    path = folder / "g.fa"
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in contigs.items()))
    write_index(path, f"{path}.fai")
    return Genome(path)


@pytest.fixture(scope="module")
def rdna() -> str:
    """The first 10 kb of the example's Chr2, which hold a unit of rDNA."""
    with gzip.open(ROOT / "resources/example/athaliana/genome.fa.gz", "rt") as handle:
        records = dict(record.split("\n", 1) for record in handle.read().split(">")[1:])
    return records["Chr2"].replace("\n", "")[:10_000].upper()


def places(rnas):
    return [(rna.contig, rna.start, rna.end, rna.strand) for rna in rnas]


@pytest.mark.parametrize("threads", [1, 3])
def test_trna_genes_with_introns_on_both_strands_between_gaps(tmp_path, threads):
    gap = "N" * 300
    with genome_of(tmp_path, a=gap + TYR + gap + reverse(TYR) + gap + GLN, empty=gap, b=GLN.lower()) as genome:
        found, header = find_trna(genome, genome.contigs, "aragorn", threads)
    assert header.startswith("ARAGORN v1.2.")
    assert header.endswith(": aragorn -t -l -w -e -if0,60")
    first, second, last = 310, 300 + 105 + 300 + 10, 300 + 105 + 300 + 105 + 300 + 9
    assert places(found) == [
        ("a", first, first + 85, "+"), ("a", second, second + 85, "-"), ("a", last, last + 72, "-"), ("b", 9, 81, "-"),
    ]  # fmt: skip
    assert [rna.attributes for rna in found[1:3]] == [
        {"product": "tRNA-Tyr", "anticodon": "GTA"},
        {"product": "tRNA-Gln", "anticodon": "CTG"},
    ]
    gene = found[1].gene("x", "ARAGORN")
    assert found[0].introns == ((first + 37, first + 49),)
    assert gene.transcripts[0].exons == ((second, second + 36), (second + 48, second + 85)), "12 bases, from the 5' end"
    assert gene.biotype == "tRNA"


def test_aragorn_lines_without_amino_acid_and_at_the_edge():
    head = ">0\n4 genes found\n"
    rows = (
        "1   tRNA-???          c[1,86]\t117.6\t34  \t(gt) \n"
        "2   tRNA-SeC             [1324923,1325007]\t107.5\t34  \t(tca)\n"
        "3   tRNA-Tyr           [18308903,18308987]\t113.0\t34  \t(gta)i(38,12)\n"
        "4   tRNA-Met    [-2,70]\t101\t34\t(cat)\n"
    )
    found = read_aragorn(head + rows)
    assert [rna.attributes["product"] for rna in found] == ["tRNA-Xxx", "tRNA-Sec", "tRNA-Tyr", "tRNA-Met"]
    assert found[2].introns == ((18308939, 18308951),)
    assert found[3].start == 0
    assert read_aragorn(">0\n0 genes found\n") == []
    with pytest.raises(ToolError, match="not understood: 'tRNA Tyr at 17'"):
        read_aragorn(head + "tRNA Tyr at 17\n")


def test_table_of_trnascan():
    title = "Sequence\t\ttRNA\nName\ttRNA #\n--------\t------\n"
    table = (
        title
        + "0 \t73\t18308903\t18308987\tTyr\tGTA\t18308940\t18308951\t74.2\tTyr\t108.6\t\n"
        + "1 \t15\t270 \t199\tArg\tCCG\t0\t0\t25.6\tArg\t42.9\tpseudo\n"
        + "1 \t16\t400 \t300\tiMet\tCAT\t362\t350\t60.6\tiMet\t42.9\t\n"
        + "1 \t17\t500 \t570\tUndet\tNNN\t0\t0\t21.6\tArg\t42.9\tpseudo,IPD:-26.30\n"
    )
    found = read_trnascan(table)
    assert places(found) == [
        ("0", 18308902, 18308987, "+"), ("1", 198, 270, "-"), ("1", 299, 400, "-"), ("1", 499, 570, "+"),
    ]  # fmt: skip
    assert found[0].introns == ((18308939, 18308951),)
    assert found[2].introns == ((349, 362),)
    assert found[1].attributes == {"product": "tRNA-Arg", "anticodon": "CCG", "pseudo": "true"}
    assert found[3].attributes == {"product": "tRNA-Xxx", "pseudo": "true"}
    assert read_trnascan("") == read_trnascan(title) == []
    with pytest.raises(ToolError, match="tRNAscan-SE wrote a row that is not understood"):
        read_trnascan(title + "0\t1\tten\t20\tTyr\tGTA\t0\t0\t74.2\n")


@pytest.mark.parametrize(
    ("tool", "program", "advice"),
    [
        ("aragorn", "aragorn", "'apt install aragorn' or 'conda install bioconda::aragorn'"),
        ("trnascan", "tRNAscan-SE", "install it with 'conda install bioconda::trnascan-se', or"),
    ],
)
def test_a_missing_program_is_named_with_what_to_install(tmp_path, monkeypatch, tool, program, advice):
    monkeypatch.setenv("PATH", str(tmp_path))
    with genome_of(tmp_path, a=TYR) as genome, pytest.raises(ToolError) as error:
        find_trna(genome, genome.contigs, tool, 1)
    assert str(error.value).startswith(f"{program} is not on PATH, but noncoding.tRNA: {tool} needs it")
    assert advice in str(error.value)


@pytest.mark.skipif(shutil.which("tRNAscan-SE") is None, reason="tRNAscan-SE comes from conda alone")
def test_both_programs_give_the_same_gene(tmp_path):
    with genome_of(tmp_path, a=TYR) as genome:
        ours, theirs = (find_trna(genome, genome.contigs, tool, 1)[0] for tool in ("aragorn", "trnascan"))
    assert places(ours) == places(theirs)
    assert ours[0].introns == theirs[0].introns


def test_the_rdna_unit_on_both_strands(tmp_path, rdna):
    with genome_of(tmp_path, a=rdna, b="N" * 500 + reverse(rdna[:6000])) as genome:
        found, header = find_rrna(genome, genome.contigs, (), 2)
        again, _ = find_rrna(genome, genome.contigs, (), 1)
    assert header.startswith("pybarrnap ")
    assert found == again
    assert places(found[:3]) == [("a", 3706, 5512, "+"), ("a", 5787, 5941, "+"), ("a", 6135, 9518, "+")]
    assert places(found[3:]) == [("b", 6500 - 5941, 6500 - 5787, "-"), ("b", 6500 - 5512, 6500 - 3706, "-")]
    assert found[0].attributes == {"product": "18S ribosomal RNA", "Dbxref": "RFAM:RF01960"}


def test_a_fragment_says_so_and_organelles_have_their_own_models(tmp_path, rdna):
    with genome_of(tmp_path, a=rdna[:4600], ChrC=rdna) as genome:
        found, _ = find_rrna(genome, genome.contigs, (), 1)
        as_organelle, _ = find_rrna(genome, genome.contigs, ["a"], 1)
    assert found[0].attributes["Note"] == "fragment: 48 percent of the length of the gene"
    of_chloroplast = [rna.attributes["product"] for rna in found if rna.contig == "ChrC"]
    assert set(of_chloroplast) <= {"16S ribosomal RNA", "23S ribosomal RNA"}
    assert not [rna for rna in as_organelle if rna.attributes["product"].startswith("18S")]


def test_without_pybarrnap_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pybarrnap", None)
    with genome_of(tmp_path, a=TYR) as genome, pytest.raises(ToolError, match="'pip install pybarrnap==") as error:
        find_rrna(genome, genome.contigs, (), 1)
    assert "noncoding.rRNA: barrnap needs the Python package pybarrnap" in str(error.value)


def test_families_of_rfam(tmp_path, rdna):
    with genome_of(tmp_path, a="N" * 50 + reverse(rdna[5700:6100]), b=TYR) as genome:
        found, header, left_out = find_ncrna(genome, genome.contigs, MODELS, None, [], 1)
        clans = tmp_path / "clans"
        clans.write_text("CL00001\t5_8S_rRNA\tLSU_rRNA_eukarya\n")
        again, with_clans, _ = find_ncrna(genome, genome.contigs, MODELS, str(clans), [], 3)
        none, _, without = find_ncrna(genome, genome.contigs, MODELS, None, ["rRNA"], 2)
    assert found == again
    assert "--oskip --clanin clans -Z" in with_clans
    assert places(found) == [("a", 50 + 400 - 242, 50 + 400 - 86, "-")]
    expected = {"product": "5.8S ribosomal RNA", "Name": "5_8S_rRNA", "Dbxref": "RFAM:RF00002"}
    assert found[0].type == "rRNA"
    assert found[0].attributes == expected
    assert "cmscan --cut_ga --nohmmonly --rfam --noali --fmt 2 --oskip -Z 0.0011" in header
    assert not left_out
    assert none == []
    assert without == {"rRNA": 1}


@pytest.mark.parametrize(
    ("name", "description", "kind"),
    [
        ("mir-166", "mir-166 microRNA precursor", "pre_miRNA"),
        ("MIR396", "microRNA MIR396", "pre_miRNA"),
        ("U6", "U6 spliceosomal RNA", "snRNA"),
        ("Plant_U3", "Plant small nucleolar RNA U3", "snoRNA"),
        ("snoR77Y", "Small nucleolar RNA R77Y", "snoRNA"),
        ("Plant_SRP", "Plant signal recognition particle RNA", "SRP_RNA"),
        ("RNase_MRP", "RNase MRP", "RNase_MRP_RNA"),
        ("RNaseP_nuc", "Nuclear RNase P", "RNase_P_RNA"),
        ("tRNA", "tRNA", "tRNA"),
        ("tRNA-Sec", "Selenocysteine transfer RNA", "tRNA"),
        ("5S_rRNA", "5S ribosomal RNA", "rRNA"),
        ("LSU_rRNA_eukarya", "Eukaryotic large subunit ribosomal RNA", "rRNA"),
        ("Hammerhead_3", "Hammerhead ribozyme (type III)", "ribozyme"),
        ("TPP", "TPP riboswitch (THI element)", None),
        ("Intron_gpII", "Group II catalytic intron D1-D4-5", None),
        ("Intron_gpI", "Group I catalytic intron", None),
        ("Bacteria_large_SRP", "Bacterial large signal recognition particle RNA", "SRP_RNA"),
        ("IRE_I", "Iron response element I", "ncRNA"),
    ],
)
def test_families_have_types(name, description, kind):
    assert family_type(name, description) == kind


def test_models_that_cmscan_cannot_read_are_told_with_what_to_do(tmp_path, rdna):
    models = tmp_path / "Rfam.cm"
    assert pressed_mistake(str(models)).endswith("no such file (relative paths start where Snakemake runs)")
    models.write_text("INFERNAL1/a [1.1.4 | Dec 2020]\n")
    assert f"is not pressed (none of its four index files is there); run: cmpress -F {models}" in pressed_mistake(
        str(models)
    )
    for ending in PRESSED[:3]:
        shutil.copy(f"{MODELS}{ending}", f"{models}{ending}")
    assert "Rfam.cm.i1p is missing" in pressed_mistake(str(models))
    assert f"name the models: {models}" in pressed_mistake(f"{models}.i1m")
    assert "gunzip" in pressed_mistake(f"{models}.gz")
    assert "is a folder" in pressed_mistake(str(tmp_path))
    other = tmp_path / "other.txt"
    other.write_text("CL00001 tRNA\n")
    assert "which begin with INFERNAL1" in pressed_mistake(str(other))
    (tmp_path / "Rfam.cm.i1p").touch()
    assert "the file is empty" in pressed_mistake(str(models))
    (tmp_path / "Rfam.cm.i1p").write_bytes(Path(f"{MODELS}.i1p").read_bytes()[:1000])
    assert pressed_mistake(str(models)) == ""
    with genome_of(tmp_path, a=rdna[5700:6100]) as genome, pytest.raises(ToolError, match="cmpress -F"):
        find_ncrna(genome, genome.contigs, str(models), None, [], 1)


@given(
    lengths=st.lists(st.integers(1, 90), min_size=1, max_size=8),
    size=st.integers(1, 50),
    margin=st.integers(0, 30),
)
def test_pieces_cover_every_base_once(lengths, size, margin):
    contigs = {f"c{number}": length for number, length in enumerate(lengths)}
    pieces = [piece for run in runs_of(contigs, size, margin) for piece in run]
    covered = [(piece.contig, base) for piece in pieces for base in range(piece.start, piece.end)]
    assert covered == [(name, base) for name, length in contigs.items() for base in range(length)]
    for piece in pieces:
        assert max(0, piece.start - margin) == piece.left
        assert min(contigs[piece.contig], piece.end + margin) == piece.right


@pytest.mark.parametrize(("size", "threads"), [(7, 1), (40, 3), (10_000, 1)])
def test_genes_across_the_ends_of_pieces_are_found_once(tmp_path, size, threads):
    """A search for AAAA finds the same, whatever the pieces; of overlapping genes each is one."""

    def find(sequences):
        return [
            Rna(name, at, at + 4, "+", "ncRNA")
            for name, sequence in sequences
            for at in range(len(sequence) - 3)
            if sequence[at : at + 4] == "AAAA"
        ]

    contigs = {"a": "CAAAAAC" * 15, "b": "GT", "c": "T" * 34 + "AAAAAAA" + "T" * 9}
    with genome_of(tmp_path, **contigs) as genome:
        found = search(genome, genome.contigs, find, threads, size, margin=5)
    expected = [
        (name, at, at + 4, "+") for name, text in contigs.items() for at in range(len(text)) if text[at:][:4] == "AAAA"
    ]
    assert places(found) == expected


def test_trna_genes_do_not_depend_on_pieces(tmp_path):
    sequence = "".join(f"{'ACGTTGCA' * 20}{TYR}{GLN}{reverse(TYR)}" for _ in range(6))
    program = shutil.which("aragorn")
    with genome_of(tmp_path, a=sequence) as genome:
        found = [
            search(genome, genome.contigs, lambda pieces: trna._by_aragorn(program, pieces), threads, size, 400)
            for size, threads in ((10**6, 1), (250, 1), (333, 3))
        ]
    assert len(found[0]) == 18
    assert found[0] == found[1] == found[2]
