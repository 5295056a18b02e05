"""The scripts from intake to check, run as Snakemake runs them, on a small genome and on bad files."""

import gzip
import json
import logging
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"
EXON_1, INTRON, EXON_2 = "CCCCATGGCATG", "GT" + "A" * 26 + "AG", "TGCTTAAGGG"
CONTIG = "TT" + EXON_1 + INTRON + EXON_2 + "TT"
GFF = """##gff-version 3
c1\ts\tgene\t3\t54\t.\t+\t.\tID=g1
c1\ts\tmRNA\t3\t54\t.\t+\t.\tID=t1;Parent=g1
c1\ts\texon\t3\t14\t.\t+\t.\tParent=t1
c1\ts\texon\t45\t54\t.\t+\t.\tParent=t1
c1\ts\tCDS\t7\t14\t.\t+\t0\tID=cds;Parent=t1
c1\ts\tCDS\t45\t51\t.\t+\t1\tID=cds;Parent=t1
c1\ts\tmRNA\t7\t54\t.\t+\t.\tID=t2;Parent=g1
c1\ts\tCDS\t7\t54\t.\t+\t0\tID=cds2;Parent=t2
"""


CONFIG = {
    "download": {
        "attempts": 1,
        "timeout": 5,
        "token_file": "none",
        "phytozome": {},
    }
}


def sources_in(folder):
    return {"genome": {"path": str(folder / "in.fa.gz")}, "annotation": {"path": str(folder / "in.gff3.gz")}}


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
            wildcards=SimpleNamespace(genome="x"),
            config=CONFIG | {"genomes": [{"name": "x", **sources_in(tmp_path)}]},
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
    download_genome(run, tmp_path)
    run("index_genome", {"fai": tmp_path / "g.fa.fai"}, fasta=tmp_path / "g.fa")
    output = {"annotation": tmp_path / "g.gff3", "record": tmp_path / "annotation.json"}
    run("download_annotation", output, genome=tmp_path / "genome.json")


def download_genome(run, tmp_path):
    run("download_genome", {"fasta": tmp_path / "g.fa", "record": tmp_path / "genome.json"})


def clean(run, tmp_path, backend="builtin", seqid_map=None):
    output = {"gff3": tmp_path / "clean.gff3", "repairs": tmp_path / "repairs.tsv"}
    params = {"backend": backend, "seqid_map": seqid_map}
    run("clean_annotation", output, params, annotation=tmp_path / "g.gff3", fai=tmp_path / "g.fa.fai")


def check(run, tmp_path, organelles=(), **limits):
    output = {name: tmp_path / name for name in ("transcripts", "genes", "summary")}
    params = {"limits": {"minimum_intron": 20, "maximum_intron": 100, **limits}, "organelles": list(organelles)}
    given = {"gff3": tmp_path / "clean.gff3", "repairs": tmp_path / "repairs.tsv", "fasta": tmp_path / "g.fa"}
    run("check_annotation", output, params, **given)


def accept(run, tmp_path, warn_above=0.1, stop_above=0.5):
    given = {name: tmp_path / name for name in ("transcripts", "genes", "summary")}
    params = {"genome": "x", "thresholds": {"warn_above": warn_above, "stop_above": stop_above}}
    output = {"accepted": tmp_path / "accepted"}
    run("accept_annotation", output, params, gff3=tmp_path / "clean.gff3", fai=tmp_path / "g.fa.fai", **given)


def test_from_source_to_accepted_transcripts(run, tmp_path):
    intake(run, tmp_path)
    clean(run, tmp_path)
    check(run, tmp_path)
    assert "1 of 2 transcripts accepted, in 1 genes" in (tmp_path / "log").read_text()
    accept(run, tmp_path)
    text = (tmp_path / "clean.gff3").read_text()
    assert text.startswith("##gff-version 3\n##sequence-region c1 1 56\n# cleaned by PhytoScribe ")
    assert "exons_made_from_cds_and_utrs\tt2" in (tmp_path / "repairs.tsv").read_text()
    accepted = [line.split("\t") for line in (tmp_path / "accepted").read_text().splitlines() if line[0] != "#"]
    assert [line[2] for line in accepted].count("mRNA") == 1
    (row,) = (tmp_path / "transcripts").read_text().splitlines()[1:]
    assert row.split("\t")[:8] == ["g1", "t2", "c1", "6", "54", "+", "rejected", "in_frame_stop"]
    summary = json.loads((tmp_path / "summary").read_text())
    assert (summary["transcripts"], summary["transcripts_accepted"]) == (2, 1)
    header = [line for line in (tmp_path / "accepted").read_text().splitlines() if line.startswith("# ")]
    assert header[0].startswith("# cleaned by PhytoScribe ")
    assert header[1:] == ["# cleaning: 1 genes in, 1 genes out", "# transcripts accepted by check_annotation"]
    (gene,) = [dict(zip(*pair, strict=True)) for pair in table_rows(tmp_path / "genes")]
    assert (gene["gene"], gene["transcripts"], gene["transcripts_accepted"], gene["status"]) == (
        "g1",
        "2",
        "1",
        "accepted",
    )
    assert (gene["longest"], gene["exons"], gene["cds_length"], gene["protein_length"]) == ("t1", "2", "15", "4")


def table_rows(path):
    header, *rows = (line.split("\t") for line in path.read_text().splitlines())
    return [(header, row) for row in rows]


def test_genome_without_genes_gives_valid_empty_results_and_a_warning(run, tmp_path):
    intake(run, tmp_path, gff="##gff-version 3\n")
    clean(run, tmp_path)
    assert "WARNING" in (tmp_path / "log").read_text()
    check(run, tmp_path)
    accept(run, tmp_path)
    assert "the annotation has 0 genes and not one coding transcript" in (tmp_path / "log").read_text()
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
    said = capsys.readouterr().err
    assert said.startswith("PhytoScribe, rule ")
    assert said.count("PhytoScribe, rule ") == 1
    assert message in said
    assert message in (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert not (tmp_path / "clean.gff3").exists()
    assert not (tmp_path / "repairs.tsv").exists()
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_truncated_gzip(run, tmp_path, capsys):
    (tmp_path / "in.fa.gz").write_bytes(gzip.compress(CONTIG.encode() * 100)[:-10])
    with pytest.raises(SystemExit):
        download_genome(run, tmp_path)
    assert capsys.readouterr().err
    assert not (tmp_path / "g.fa").exists()


def test_the_agat_backend_is_never_replaced(run, tmp_path, monkeypatch, capsys):
    intake(run, tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit):
        clean(run, tmp_path, backend="agat")
    assert "agat_convert_sp_gxf2gxf.pl was not found" in capsys.readouterr().err
    assert not (tmp_path / "clean.gff3").exists()


MESSY = (
    GFF
    + """c1\ts\tgene\t3\t54\t.\t+\t.\tID=g2
c1\ts\tpseudogene\t3\t20\t.\t+\t.\tID=g3
c1\ts\tgene\t3\t54\t.\t+\t.\tID=g4
c1\ts\tmRNA\t3\t54\t.\t+\t.\tID=t4;Parent=g4
c1\ts\texon\t3\t14\t.\t+\t.\tParent=t4
c1\ts\texon\t45\t54\t.\t-\t.\tParent=t4
c1\ts\tgene\t3\t54\t.\t.\t.\tID=g5
c1\ts\tmRNA\t3\t54\t.\t.\t.\tID=t5;Parent=g5
c1\ts\texon\t3\t54\t.\t.\t.\tParent=t5
c1\ts\tncRNA_gene\t3\t20\t.\t+\t.\tID=g6
c1\ts\ttRNA\t3\t20\t.\t+\t.\tID=t6;Parent=g6
c1\ts\texon\t3\t20\t.\t+\t.\tParent=t6
Mt\ts\tgene\t3\t54\t.\t+\t.\tID=g7
Mt\ts\tmRNA\t3\t54\t.\t+\t.\tID=t7;Parent=g7
Mt\ts\tCDS\t7\t54\t.\t+\t0\tParent=t7
c2\ts\tgene\t3\t54\t.\t+\t.\tID=g8
c2\ts\tmRNA\t3\t54\t.\t+\t.\tID=t8;Parent=g8
c2\ts\tCDS\t7\t54\t.\t+\t0\tParent=t8
c1\ts\tgene\t3\t54\t.\t+\t.\tID=g9
c1\ts\tmRNA\t3\t54\t.\t+\t.\tID=t9;Parent=g9
c1\ts\texon\t3\t14\t.\t+\t.\tParent=t9
c1\ts\texon\t45\t54\t.\t+\t.\tParent=t9
c1\ts\tCDS\t7\t14\t.\t+\t0\tParent=t9
c1\ts\tCDS\t45\t51\t.\t+\t1\tParent=t9
"""
)


def test_every_gene_of_the_source_is_accepted_or_has_a_reason(run, tmp_path):
    intake(run, tmp_path, fasta=f">c1\n{CONTIG}\n>Mt\n{CONTIG}\n>c2\n{CONTIG}\n", gff=MESSY)
    clean(run, tmp_path)
    check(run, tmp_path, organelles=["c2"])
    accept(run, tmp_path, stop_above=1.0)
    genes = {row[0]: dict(zip(header, row, strict=True)) for header, row in table_rows(tmp_path / "genes")}
    assert {name: gene["reason"] for name, gene in genes.items()} == {
        "g1": "",
        "g2": "no_transcript",
        "g3": "not_protein_coding",
        "g4": "mixed_strands",
        "g5": "no_strand",
        "g6": "not_protein_coding",
        "g7": "organelle",
        "g8": "organelle",
        "g9": "duplicate",
    }
    accepted = {line.split("ID=")[1].split(";")[0] for line in (tmp_path / "accepted").open() if "\tgene\t" in line}
    assert accepted == {name for name, gene in genes.items() if gene["status"] == "accepted"} == {"g1"}
    rejected = [dict(zip(header, row, strict=True)) for header, row in table_rows(tmp_path / "transcripts")]
    assert {row["gene"] for row in rejected} == set(genes)  # of g1 the second transcript
    assert {row["transcript"] for row in rejected if row["transcript"]} == {f"t{n}" for n in (2, 4, 5, 6, 7, 8, 9)}
    for row in rejected:  # places by which training masks them
        assert (row["contig"], int(row["start0"]) < int(row["end"])) == (genes[row["gene"]]["contig"], True)
    summary = json.loads((tmp_path / "summary").read_text())
    assert (summary["genes"], summary["genes_accepted"]) == (9, 1)
    assert sum(summary["genes_rejected_by_reason"].values()) == 8
    assert sum(summary["rejected_by_reason"].values()) == summary["transcripts"] - summary["transcripts_accepted"] == 7
    # t1, its copy t9; with faults t2, t4, t5 and g2, which has no transcript
    assert (summary["coding_transcripts"], summary["coding_transcripts_rejected"]) == (6, 4)


def test_a_stop_leaves_the_tables_and_no_accepted_annotation(run, tmp_path, capsys):
    intake(run, tmp_path, gff=GFF.replace("\t7\t14\t", "\t8\t14\t"))
    clean(run, tmp_path)
    check(run, tmp_path)
    with pytest.raises(SystemExit) as stopped:
        accept(run, tmp_path)
    assert stopped.value.code == 1
    assert "PhytoScribe, rule accept_annotation: x: 2 of 2 coding transcripts" in capsys.readouterr().err
    assert "Traceback" not in (tmp_path / "log").read_text()
    assert not (tmp_path / "accepted").exists()
    assert len(table_rows(tmp_path / "transcripts")) == 2
    accept(run, tmp_path, stop_above=1.0)  # the limit is the user's, and needs no new check
    assert (tmp_path / "accepted").exists()


def test_a_warning_is_in_the_log_and_on_the_terminal(run, tmp_path, capfd):
    intake(run, tmp_path)
    clean(run, tmp_path)
    check(run, tmp_path)
    accept(run, tmp_path)
    said = capfd.readouterr().err
    assert said.startswith("PhytoScribe, warning: x: 1 of 2 coding transcripts (50%)")
    assert "WARNING phytoscribe: x: 1 of 2 coding transcripts" in (tmp_path / "log").read_text()
    accept(run, tmp_path, warn_above=0.5)
    assert capfd.readouterr().err == ""
    assert "WARNING" not in (tmp_path / "log").read_text()


def test_names_of_sequences_are_mapped(run, tmp_path, capsys):
    intake(run, tmp_path, gff=GFF.replace("c1\t", "chr1\t") + GFF.replace("c1\t", "chrM\t").replace("1;", "M;"))
    with pytest.raises(SystemExit):
        clean(run, tmp_path)
    assert "'chr1' is not in the genome FASTA" in capsys.readouterr().err
    table = tmp_path / "names.tsv"
    table.write_text("chr1\tc1\nchrM\t\n")
    for names in ({"chr1": "c1", "chrM": None}, str(table)):
        clean(run, tmp_path, seqid_map=names)
        text = (tmp_path / "clean.gff3").read_text()
        assert {line.split("\t")[0] for line in text.splitlines() if line[0] != "#"} == {"c1"}
        assert "feature_outside_genes_left_out\tchrM" in (tmp_path / "repairs.tsv").read_text()
    with pytest.raises(SystemExit):
        clean(run, tmp_path, seqid_map={"chr1": "c1", "chrM": "c1"})
    assert "would both become 'c1'" in capsys.readouterr().err


def test_limits_of_the_verdict_are_no_parameters_of_the_check():
    rules = (SCRIPTS.parent / "rules" / "clean.smk").read_text().split("\nrule ")
    (checking,) = [rule for rule in rules if rule.startswith("check_annotation:")]
    params = checking.partition("params:")[2].partition("message:")[0]
    assert params.count("_above") == 2  # in the comment that says so
    assert 'config["check"][key] for key in ["minimum_intron", "maximum_intron", "minimum_cds_segment"]' in params
