"""The AGAT backend: its program, its exit codes and its losses.

A stand-in program plays AGAT's known behaviours from stored outputs; where the real AGAT is on PATH it runs too.
"""

import gzip
import io
import logging
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from agat_matching import differences

from phytoscribe.annotation.cleaning import agat
from phytoscribe.annotation.cleaning.agat import PROGRAM
from phytoscribe.annotation.cleaning.clean import clean, clean_with_agat
from phytoscribe.annotation.cleaning.normalise import normalise
from phytoscribe.annotation.cleaning.repairs import RepairKind
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.errors import ConfigError, GffError, ToolError
from phytoscribe.genome.fasta import read_index

CASES = Path(__file__).parents[3] / "data" / "agat_cases"
EXAMPLE = Path(__file__).parents[4] / "resources" / "example" / "athaliana"
CONTIGS = {"chr1": 10_000, "chr2": 10_000}
INPUTS = sorted(CASES.glob("*.in.*"))
DIALECTS = sorted((CASES / "dialects").glob("*.in.*"))
DIALECT_CONTIGS = {"chr1": 20_000, "Chr1": 20_000, "1": 20_000, "NC_1.1": 20_000}
REAL_AGAT = shutil.which(PROGRAM)
needs_agat = pytest.mark.skipif(
    REAL_AGAT is None, reason=f"the real AGAT is not here: no {PROGRAM} on PATH (docs/cleaning.md says how to get it)"
)


def stored(source: Path) -> Path:
    """AGAT 1.7.0's output for an input."""
    return source.with_name(f"{source.name.partition('.in.')[0]}.agat.gff3")


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Install a program under AGAT's name: it prints AGAT's banner, runs ``body`` and gives the file, or nothing."""

    def install(result: Path | None, code: int = 0, body: str = "", version: str = "v1.7.0"):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        copy = f'cp "{result}" "$out"' if result else ":"
        program = folder / PROGRAM
        program.write_text(
            "#!/bin/sh\n"
            f"echo '|   Another GFF Analysis Toolkit (AGAT) - Version: {version}   |'\n"
            'while [ $# -gt 0 ]; do case "$1" in --output) out="$2";; --gff) gff="$2";; esac; shift; done\n'
            '[ -e "$gff" ] || exit 2\n'
            'log="agat_log_$(basename "$gff" .gff)"\n'
            'mkdir "$log" || exit 3\n'  # fails if two runs shared a folder
            '[ -e "$out" ] && { echo "File $out already exist."; exit 0; }\n'
            'echo "AGAT WARNING level1: something" > "$log/main.log"\n'
            f"{body}\n{copy}\nexit {code}\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return install


def rows(report, kind):
    return [row for row in report.rows if row.kind == kind]


# --- the program ---


def test_without_agat_the_message_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"not found: run Snakemake with --software-deployment-method conda.*builtin"):
        clean(CASES / "01_unsorted.in.gff3", CONTIGS, "agat")


def test_unknown_backend():
    with pytest.raises(ConfigError, match="'gt' is unknown; allowed are agat and builtin"):
        clean(CASES / "01_unsorted.in.gff3", CONTIGS, "gt")


def test_result_names_agat_and_its_version(stand_in):
    stand_in(CASES / "01_unsorted.agat.gff3")
    cleaned = clean(CASES / "01_unsorted.in.gff3", CONTIGS, "agat")
    assert cleaned.cleaner.startswith("AGAT 1.7.0 and PhytoScribe")
    assert [gene.id for gene in cleaned.genes] == ["g1", "g2", "g3"]
    assert (cleaned.report.genes_in, cleaned.report.genes_out) == (3, 3)
    assert clean(CASES / "01_unsorted.in.gff3", CONTIGS, "agat").genes == cleaned.genes  # a second run of its own


@pytest.mark.parametrize(
    ("result", "code", "message"),
    [
        (None, 0, r"AGAT gave no result \(exit code 0\): .*Version: v1\.7\.0"),
        (CASES / "13_empty.in.gff3", 0, "AGAT gave no result"),
        (CASES / "01_unsorted.agat.gff3", 2, r"no result \(exit code 2\)"),
        (CASES / "14_header_only.agat.gff3", 0, "AGAT 1.7.0 returned no gene at all for 3 gene models"),
        (CASES / "11_broken_columns.in.gff3", 0, r"wrote what cannot be read \(its output, line 2: 7 tab-separated"),
    ],
)
def test_exit_code_zero_proves_nothing(stand_in, result, code, message):
    stand_in(result, code)
    with pytest.raises(ToolError, match=message) as caught:
        clean_with_agat(CASES / "01_unsorted.in.gff3", CONTIGS)
    assert str(caught.value).startswith(str(CASES / "01_unsorted.in.gff3"))


def test_an_output_that_is_there_already_is_not_taken_for_a_result(stand_in):
    """AGAT leaves it as it is and ends with exit code 0; here it cannot be there, since the folder is new."""
    stand_in(None, body='cp "$gff" "$out"; echo "File $out already exist."; rm "$out"')
    with pytest.raises(ToolError, match=r"no result \(exit code 0\): .*already exist"):
        clean_with_agat(CASES / "01_unsorted.in.gff3", CONTIGS)


def test_a_message_of_perl_reaches_the_user(stand_in):
    stand_in(None, 2, body='echo "Can\'t locate Bio/Seq.pm in @INC" >&2')
    with pytest.raises(ToolError, match=r"exit code 2\): .*Can't locate Bio/Seq.pm"):
        clean_with_agat(CASES / "01_unsorted.in.gff3", CONTIGS)


@pytest.mark.parametrize("body", ["kill -9 $$", "exit 137"])
def test_killed(stand_in, body):
    stand_in(CASES / "01_unsorted.agat.gff3", body=body)
    with pytest.raises(ToolError, match=r"AGAT was killed \(signal 9\).*raise mem_mb"):
        clean_with_agat(CASES / "01_unsorted.in.gff3", CONTIGS)


def test_it_must_end_some_time(stand_in, monkeypatch):
    stand_in(CASES / "01_unsorted.agat.gff3", body="exec sleep 30")
    monkeypatch.setattr(agat, "TIME_LIMIT_SECONDS", 0.5)
    with pytest.raises(ToolError, match=r"AGAT had not ended after .* and was stopped"):
        clean_with_agat(CASES / "01_unsorted.in.gff3", CONTIGS)


def test_a_program_that_cannot_start(stand_in, tmp_path):
    stand_in(None)
    (tmp_path / "bin" / PROGRAM).write_text("#!/no/such/perl\n")
    with pytest.raises(ToolError, match=r"AGAT cannot be started .*install it anew"):
        clean_with_agat(CASES / "01_unsorted.in.gff3", CONTIGS)


def test_a_cut_output_is_refused(stand_in, tmp_path):
    """What AGAT leaves on a full disk, with exit code 0 and "Job done!"."""
    cut = tmp_path / "cut.gff3"
    cut.write_text((CASES / "01_unsorted.agat.gff3").read_text()[:-30])
    stand_in(cut)
    with pytest.raises(ToolError, match=r"ends in the middle of a line; as a rule the disk .* was full"):
        clean_with_agat(CASES / "01_unsorted.in.gff3", CONTIGS)


def test_a_disk_without_room_is_refused_before_agat_runs(stand_in, monkeypatch):
    stand_in(None, 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    with pytest.raises(ToolError, match=r"MB free, but AGAT's result for .* set TMPDIR"):
        clean_with_agat(CASES / "01_unsorted.in.gff3", CONTIGS)


def test_agats_own_log_and_its_warnings_are_kept(stand_in, caplog):
    body = 'echo "Check2 - Removed 1 duplicated" >> "$log/main.log"; echo "perl is unhappy" >&2'
    stand_in(CASES / "01_unsorted.agat.gff3", body=body, version="v1.4.1")
    with caplog.at_level(logging.INFO):
        clean_with_agat(CASES / "01_unsorted.in.gff3", CONTIGS)
    assert "Check2 - Removed 1 duplicated" in caplog.text
    assert "perl is unhappy" in caplog.text
    warned = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warned == [
        "AGAT warned 1 times (see its log above); first: AGAT WARNING level1: something",
        "AGAT is 1.4.1; its behaviour was checked with 1.7.0",
    ]


# --- what AGAT is given ---


def test_agat_sees_a_plain_copy_with_every_line_at_its_number(stand_in, tmp_path):
    seen = tmp_path / "seen"
    source = tmp_path / "odd ; name.gff3.gz"
    lines = (CASES / "01_unsorted.in.gff3").read_text().splitlines()
    fasta = ["##FASTA", ">chr1", "ACGT", "##gff-version 3"]  # as where two files were joined
    text = "\r\n".join([lines[0], "##feature-ontology http://example.org/so.obo", *lines[1:6], *fasta, *lines[6:]])
    source.write_bytes(gzip.compress(text.encode()))
    stand_in(CASES / "01_unsorted.agat.gff3", body=f'cp "$gff" "{seen}"')
    genes, _, _ = clean_with_agat(source, CONTIGS)
    assert [gene.id for gene in genes] == ["g1", "g2", "g3"]
    blank = "#"  # AGAT would download the ontology, and end at the sequences
    assert seen.read_text().splitlines() == [lines[0], blank, *lines[1:6], *[blank] * 3, fasta[3], *lines[6:]]


def test_sequence_names_are_mapped_after_agat(stand_in, tmp_path):
    seen = tmp_path / "seen"
    stand_in(CASES / "01_unsorted.agat.gff3", body=f'cp "$gff" "{seen}"')
    cleaned = clean(CASES / "01_unsorted.in.gff3", {"one": 10_000}, "agat", {"chr1": "one", "chr2": None})
    assert [(gene.id, gene.contig) for gene in cleaned.genes] == [("g1", "one"), ("g2", "one")]
    assert "chr2" in seen.read_text()  # AGAT's messages name what the user's file names
    (left_out,) = rows(cleaned.report, RepairKind.FEATURE_LEFT_OUT)
    assert left_out.id == "chr2"
    assert not rows(cleaned.report, RepairKind.GENE_LOST)


def test_a_broken_source_is_refused_before_agat_runs(stand_in):
    stand_in(CASES / "01_unsorted.agat.gff3", 2)
    with pytest.raises(GffError, match=r"11_broken_columns\.in\.gff3, line 2: 7 tab-separated columns"):
        clean_with_agat(CASES / "11_broken_columns.in.gff3", CONTIGS)


def test_an_unknown_sequence_is_the_users_to_fix(stand_in):
    stand_in(CASES / "01_unsorted.agat.gff3", 2)
    with pytest.raises(GffError, match=r"01_unsorted\.in\.gff3, line \d+: the sequence 'chr2' is not in the genome"):
        clean_with_agat(CASES / "01_unsorted.in.gff3", {"chr1": 10_000})


# --- genes in and out ---


def test_genes_without_transcripts_are_listed_with_their_line(stand_in):
    stand_in(CASES / "15_ncrna_misc.agat.gff3")
    _, report, _ = clean_with_agat(CASES / "15_ncrna_misc.in.gff3", CONTIGS)
    assert [(row.id, row.line) for row in rows(report, RepairKind.GENE_WITHOUT_TRANSCRIPT)] == [("te1", 10)]
    assert [row.id for row in rows(report, RepairKind.FEATURE_LEFT_OUT)] == ["m1", "m1.1", "w1"]
    assert not rows(report, RepairKind.GENE_LOST)


def test_genes_that_agat_joins_over_two_strands_are_split_again(stand_in):
    stand_in(CASES / "05_duplicate_ids.agat.gff3")
    genes, report, _ = clean_with_agat(CASES / "05_duplicate_ids.in.gff3", CONTIGS)
    assert [(gene.id, gene.strand) for gene in genes] == [("g1", "+"), ("g1_2", "-")]
    assert not rows(report, RepairKind.GENE_LOST)
    (split,) = rows(report, RepairKind.GENE_SPLIT)
    assert (split.id, split.line) == ("g1", 0)  # a line of AGAT's output is none of the source


def test_genes_that_agat_joins_on_one_strand_are_listed_as_lost(stand_in, tmp_path, caplog):
    text = (CASES / "05_duplicate_ids.in.gff3").read_text().replace("\t-\t", "\t+\t")
    source, result = tmp_path / "in.gff3", tmp_path / "out.gff3"
    source.write_text(text)
    result.write_text((CASES / "05_duplicate_ids.agat.gff3").read_text().replace("\t-\t", "\t+\t"))
    stand_in(result)
    genes, report, _ = clean_with_agat(source, CONTIGS)
    assert [(gene.id, len(gene.transcripts)) for gene in genes] == [("g1", 2)]
    (lost,) = rows(report, RepairKind.GENE_LOST)
    assert (lost.id, lost.place) == ("g1_2", "chr1:5000-5500:+")
    assert (report.genes_in, report.genes_out) == (2, 1)
    assert "AGAT: 2 gene models in, 1 out, 1 lost, 0 new; 2 transcripts in, 2 out" in caplog.text


def test_genes_that_agat_renames_are_not_lost(stand_in):
    stand_in(CASES / "03_cds_only.agat.gff3")
    genes, report, _ = clean_with_agat(CASES / "03_cds_only.in.gff3", CONTIGS)
    assert len(genes) == 2
    assert not rows(report, RepairKind.GENE_LOST)
    renamed = [(row.id, row.detail) for row in rows(report, RepairKind.RENAMED)]
    assert renamed == [("g1", "now agat-gene-1"), ("cds2.gene", "now agat-gene-2")]


def test_an_identical_isoform_that_agat_removes_is_no_loss_of_a_gene(stand_in):
    stand_in(CASES / "07_isoforms_shared_exon.agat.gff3")
    genes, report, _ = clean_with_agat(CASES / "07_isoforms_shared_exon.in.gff3", CONTIGS)
    assert [transcript.id for transcript in genes[0].transcripts] == ["g1.t2", "g1.t1"]
    assert report.rows == []


def test_what_agat_leaves_is_repaired_after_it(stand_in):
    stand_in(CASES / "06_wrong_phases.agat.gff3")
    _, report, _ = clean_with_agat(CASES / "06_wrong_phases.in.gff3", CONTIGS)
    (phases,) = report.rows
    assert (phases.kind, phases.id, phases.line) == (RepairKind.PHASES_RECOMPUTED, "g1.t1", 0)
    stand_in(CASES / "09_augustus.agat.gff3")
    _, report, _ = clean_with_agat(CASES / "09_augustus.in.gtf", CONTIGS)
    assert report.rows == []  # AGAT joins the stop codon itself


def test_twin_genes_that_agat_makes_of_proteins_are_removed(stand_in):
    """TAIR's CDS lines name two parents, the mRNA and its protein; AGAT makes a gene for each."""
    source = CASES / "dialects" / "tair10.in.gff3"
    assert "ID=agat-cds-1" in stored(source).read_text()
    stand_in(stored(source))
    genes, report, _ = clean_with_agat(source, DIALECT_CONTIGS)
    assert [gene.id for gene in genes] == ["AT1G01010", "AT1G01020", "AT1G01030", "AT1G01040"]
    assert differences(normalise(source, DIALECT_CONTIGS)[0], genes) == []
    (twin,) = rows(report, RepairKind.DUPLICATE_LINE)
    assert (twin.id, twin.place) == ("agat-cds-1", "Chr1:1101-1603:+")
    assert twin.detail == "a gene made by AGAT of the CDS of AT1G01010.1"
    assert report.genes_out == 4


def test_trans_spliced_genes_that_agat_mixes_up_are_listed_as_lost(stand_in):
    source = CASES / "dialects" / "ncbi.in.gff3"
    stand_in(stored(source))
    genes, report, _ = clean_with_agat(source, DIALECT_CONTIGS)
    assert [row.id for row in rows(report, RepairKind.GENE_LOST)] == ["gene-rps12", "gene-rps12_2"]
    assert "agat-gene-4" in {gene.id for gene in genes}  # the miRNA in its precursor
    assert len(genes) == report.genes_out == 8 - 2 + 1


GENE = """{contig}\ts\tgene\t{start}\t{end}\t.\t+\t.\tID={id}
{contig}\ts\tmRNA\t{start}\t{end}\t.\t+\t.\tID={id}.t{n};Parent={id}
{contig}\ts\texon\t{start}\t{end}\t.\t+\t.\tParent={id}.t{n}
"""


def annotation(path, genes):
    """A file with genes of one exon each: (contig, number)."""
    texts = [GENE.format(contig=c, start=100 * n + 1, end=100 * n + 90, id=f"{c}.g{n}", n=1) for c, n in genes]
    path.write_text("".join(texts))
    return path


def test_a_few_lost_genes_are_listed_and_many_are_an_error(stand_in, tmp_path):
    contigs = {"chr1": 10**6}
    genes = [("chr1", n) for n in range(2000)]
    source = annotation(tmp_path / "in.gff3", genes)
    stand_in(annotation(tmp_path / "out.gff3", genes[20:]))
    _, report, _ = clean_with_agat(source, contigs)
    assert [row.id for row in rows(report, RepairKind.GENE_LOST)] == [f"chr1.g{n}" for n in range(20)]
    assert rows(report, RepairKind.GENE_LOST)[0][2:] == (0, "", "chr1:1-90:+")
    stand_in(annotation(tmp_path / "out.gff3", genes[21:]))
    with pytest.raises(ToolError, match=r"in\.gff3: AGAT 1\.7\.0 lost 21 of 2000 genes \(chr1\.g0, chr1\.g1, "):
        clean_with_agat(source, contigs)


def test_a_lost_sequence_is_an_error_however_small(stand_in, tmp_path):
    contigs = {"chr1": 10**6, "chr2": 10**6}
    genes = [("chr1", n) for n in range(3000)]
    source = annotation(tmp_path / "in.gff3", genes + [("chr2", n) for n in range(11)])
    stand_in(annotation(tmp_path / "out.gff3", genes))
    with pytest.raises(ToolError, match="returned none of the 11 genes of chr2"):
        clean_with_agat(source, contigs)


def test_many_lost_transcripts_are_an_error(stand_in, tmp_path):
    contigs = {"chr1": 10**6}
    source, result = tmp_path / "in.gff3", tmp_path / "out.gff3"
    annotation(source, [("chr1", n) for n in range(100)])
    shutil.copy(source, result)
    second = [f"chr1\ts\tmRNA\t{100 * n + 1}\t{100 * n + 80}\t.\t+\t.\tID=t{n};Parent=chr1.g{n}\n" for n in range(11)]
    source.write_text(source.read_text() + "".join(second))
    stand_in(result)
    with pytest.raises(ToolError, match=r"lost 11 of 111 transcripts \(t0, "):
        clean_with_agat(source, contigs)


# --- the real AGAT, where it is ---


@needs_agat
@pytest.mark.parametrize("source", INPUTS + DIALECTS, ids=lambda path: path.name)
def test_real_agat_still_writes_the_stored_output(source, tmp_path):
    """Byte by byte; a difference here means another version.

    The cases were stored with AGAT's own defaults, the dialects as the backend runs it.
    """
    shutil.copy(source, tmp_path)
    command = [PROGRAM, "--gff", source.name, "--output", "out.gff3", *(["--cpu", "0"] if source in DIALECTS else [])]
    environment = {**os.environ, "PERL_HASH_SEED": "0", "LC_ALL": "C"}
    subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, check=True, stdin=subprocess.DEVNULL, timeout=60
    )
    assert (tmp_path / "out.gff3").read_text() == stored(source).read_text()


@needs_agat
@pytest.mark.parametrize("source", INPUTS + DIALECTS, ids=lambda path: path.name)
def test_real_agat_in_the_backend_gives_what_the_stored_output_gives(source, stand_in):
    contigs = CONTIGS if source in INPUTS else DIALECT_CONTIGS

    def outcome():
        try:
            genes, report, _ = clean_with_agat(source, contigs)
        except (GffError, ToolError) as error:
            return str(error)
        return genes, report.rows

    real = outcome()
    stand_in(stored(source))
    assert real == outcome()


@needs_agat
def test_real_agat_and_the_builtin_cleaner_agree_on_the_example(arabidopsis_fasta, caplog):
    contigs = read_index(f"{arabidopsis_fasta}.fai")
    path = EXAMPLE / "annotation.gff3.gz"
    with caplog.at_level(logging.INFO):
        by_agat = clean(path, contigs, "agat")
    builtin = clean(path, contigs, "builtin")
    assert by_agat.cleaner.startswith(f"AGAT {agat.TESTED_VERSION} ")
    assert differences(builtin.genes, by_agat.genes) == []
    assert [gene.id for gene in by_agat.genes] == [gene.id for gene in builtin.genes]
    assert by_agat.report.rows == []
    assert "Job done!" in caplog.text


@needs_agat
def test_real_agat_gives_the_same_file_in_every_run():
    """New features take numbers from hashes, whose order Perl draws anew in each run."""
    texts = set()
    for _ in range(3):
        genes, _, _ = clean_with_agat(CASES / "03_cds_only.in.gff3", CONTIGS)
        handle = io.StringIO()
        write_gff3(handle, genes, CONTIGS)
        texts.add(handle.getvalue())
    assert len(texts) == 1


@needs_agat
def test_real_agat_takes_any_name_of_file_and_sequence(tmp_path):
    source = tmp_path / "a b;'.x.gff3"
    text = (CASES / "01_unsorted.in.gff3").read_text().replace("chr1", "gnl|x/1").replace("ONE", "caf\u00e9%3B")
    source.write_text(text)
    contigs = {"gnl|x/1": 10_000, "chr2": 10_000}
    genes, _, _ = clean_with_agat(source, contigs)
    assert differences(normalise(source, contigs)[0], genes) == []
    assert genes[0].attributes == {"Name": "caf\u00e9;"}


def test_stored_outputs_are_one_for_each_input():
    assert len(INPUTS) == 15
    assert all(stored(source).exists() for source in INPUTS)
    assert len(read_gff3(stored(INPUTS[0]), CONTIGS)) == 3
