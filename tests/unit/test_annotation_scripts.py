"""The scripts from intake to check, run as Snakemake runs them, on a small genome and on bad files."""

import gzip
import json
import logging
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

SCRIPTS = Path(__file__).parents[2] / "workflow" / "scripts"
EXON_1, INTRON, EXON_2 = "CCCCATGGCATG", "GT" + "A" * 26 + "AG", "TGCTTAAGGG"
CONTIG = "TT" + EXON_1 + INTRON + EXON_2 + "TT"
GFF = """##gff-version 3
c1\ts\tgene\t3\t54\t.\t+\t.\tID=g1
c1\ts\tmRNA\t3\t54\t.\t+\t.\tID=t1;Parent=g1
c1\ts\texon\t3\t14\t.\t+\t.\tParent=t1
c1\ts\texon\t45\t54\t.\t+\t.\tParent=t1
c1\ts\tCDS\t7\t14\t.\t+\t0\tID=cds;Parent=t1
c1\ts\tCDS\t45\t51\t.\t+\t1\tID=cds;Parent=t1
c1\ts\tmRNA\t3\t54\t.\t+\t.\tID=t2;Parent=g1
c1\ts\tCDS\t7\t54\t.\t+\t0\tID=cds2;Parent=t2
"""


class Named(SimpleNamespace):
    def __getitem__(self, index):
        return list(vars(self).values())[index]


@pytest.fixture
def run(tmp_path):
    """Run one script with named input, output and params; its log lies in ``tmp_path/log``."""

    def start(script, output, params=None, **inputs):
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        snakemake = SimpleNamespace(
            input=Named(**inputs),
            output=Named(**output),
            params=Named(**(params or {})),
            log=[str(tmp_path / "log")],
            rule=script,
        )
        try:
            runpy.run_path(str(SCRIPTS / f"{script}.py"), init_globals={"snakemake": snakemake})
        finally:
            logging.captureWarnings(False)
            root.handlers[:], root.level = handlers, level

    return start


def intake(run, tmp_path, fasta=f">c1 x\n{CONTIG}\n", gff=GFF):
    (tmp_path / "in.fa.gz").write_bytes(gzip.compress(fasta.encode()))
    (tmp_path / "in.gff3.gz").write_bytes(gzip.compress(gff.encode()))
    run("download_genome", {"fasta": tmp_path / "g.fa"}, {"source": {"path": str(tmp_path / "in.fa.gz")}})
    run("index_genome", {"fai": tmp_path / "g.fa.fai"}, fasta=tmp_path / "g.fa")
    source = {"source": {"path": str(tmp_path / "in.gff3.gz")}}
    run("download_annotation", {"annotation": tmp_path / "g.gff3"}, source)


def clean(run, tmp_path, backend="builtin"):
    output = {"gff3": tmp_path / "clean.gff3", "repairs": tmp_path / "repairs.tsv"}
    run("clean_annotation", output, {"backend": backend}, annotation=tmp_path / "g.gff3", fai=tmp_path / "g.fa.fai")


def check(run, tmp_path):
    output = {name: tmp_path / name for name in ("accepted", "transcripts", "summary")}
    limits = {"minimum_intron": 20, "maximum_intron": 100}
    run("check_annotation", output, {"limits": limits}, gff3=tmp_path / "clean.gff3", fasta=tmp_path / "g.fa")


def test_from_source_to_accepted_transcripts(run, tmp_path):
    intake(run, tmp_path)
    clean(run, tmp_path)
    check(run, tmp_path)
    text = (tmp_path / "clean.gff3").read_text()
    assert text.startswith("##gff-version 3\n##sequence-region c1 1 56\n# cleaned by PhytoScribe ")
    assert "exons_made_from_cds_and_utrs\tt2" in (tmp_path / "repairs.tsv").read_text()
    accepted = [line.split("\t") for line in (tmp_path / "accepted").read_text().splitlines() if line[0] != "#"]
    assert [line[2] for line in accepted].count("mRNA") == 1
    (row,) = (tmp_path / "transcripts").read_text().splitlines()[1:]
    assert row.split("\t")[:8] == ["g1", "t2", "c1", "6", "54", "+", "rejected", "in_frame_stop"]
    summary = json.loads((tmp_path / "summary").read_text())
    assert (summary["transcripts"], summary["transcripts_accepted"]) == (2, 1)
    assert "1 of 2 transcripts accepted, in 1 genes" in (tmp_path / "log").read_text()


def test_genome_without_genes_gives_valid_empty_results_and_a_warning(run, tmp_path):
    intake(run, tmp_path, gff="##gff-version 3\n")
    clean(run, tmp_path)
    assert "WARNING" in (tmp_path / "log").read_text()
    check(run, tmp_path)
    assert (tmp_path / "accepted").read_text().startswith("##gff-version 3\n##sequence-region c1 1 56\n")
    assert json.loads((tmp_path / "summary").read_text())["genes"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fasta": ">c1\nACGT\n>c1\nACGT\n"}, "'c1' is used twice"),
        ({"fasta": ">c1\n>c2\nACGT\n"}, "'c1' is empty"),
        ({"fasta": ">c1\nMEEPQSD\n"}, "is this a protein FASTA?"),
        ({"gff": GFF.replace("c1\t", "chr1\t")}, "'chr1' is not in the genome FASTA"),
        ({"fasta": f">c1\n{CONTIG[:50]}\n"}, "past the end of 'c1' (50 bases)"),
    ],
)
def test_bad_input_is_one_message_and_leaves_nothing(run, tmp_path, capsys, changes, message):
    def all_steps():
        intake(run, tmp_path, **changes)
        clean(run, tmp_path)

    with pytest.raises(SystemExit) as stopped:
        all_steps()
    assert stopped.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("PhytoScribe, rule ")
    assert message in line
    assert message in (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert not (tmp_path / "clean.gff3").exists()
    assert not (tmp_path / "repairs.tsv").exists()
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_truncated_gzip(run, tmp_path, capsys):
    (tmp_path / "in.fa.gz").write_bytes(gzip.compress(CONTIG.encode() * 100)[:-10])
    with pytest.raises(SystemExit):
        run("download_genome", {"fasta": tmp_path / "g.fa"}, {"source": {"path": str(tmp_path / "in.fa.gz")}})
    assert capsys.readouterr().err
    assert not (tmp_path / "g.fa").exists()


def test_the_agat_backend_is_never_replaced(run, tmp_path, monkeypatch, capsys):
    intake(run, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit):
        clean(run, tmp_path, backend="agat")
    assert "agat_convert_sp_gxf2gxf.pl was not found" in capsys.readouterr().err
    assert not (tmp_path / "clean.gff3").exists()
