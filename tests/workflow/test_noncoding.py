"""RNA genes and mobile elements by the workflow's rules: real programs on 12 kb, beside a given prediction."""

from __future__ import annotations

import subprocess

import pybarrnap.config
import pytest
import yaml
from tiny_workflow import ROOT, copy_house, cut_fasta, start

from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, Transcript

#: tRNA-Tyr of A. thaliana (AT1G49460); its first base is base 11.
TYR = "TTAAGCACAACCGACCTTAGCTCAGTTGGTAGAGCGGAAGACTGTAGTGTTTGCAGACAATCTTTAGGTCGCTGGTTCGATTCCGGCAGGTCGGATTTTTAATGT"
CONTIGS = {"Chr2": 10_000, "with|bar": 705, "gap": 900}
RULES = "find_trna find_rrna find_ncrna merge_noncoding join_annotation evaluate_noncoding index_genome download_genome"
OTHERS = "download_annotation clean_annotation check_prediction"
TARGETS = [
    "results/predictions/tiny.noncoding.gff3",
    "results/predictions/tiny.all.gff3",
    "results/evaluation/tiny.noncoding.tsv",
    "results/evaluation/tiny.plausibility.tsv",
]
PREDICTION = "results/predictions/tiny.gff3"
RNA = "{0}\tx\t{1}\t{2}\t{3}\t.\t+\t.\t{4}\n"


def coding(name, contig, start, end):
    return GeneModel(name, contig, "+", (Transcript(f"{name}.t1", ((start, end),), ((start, end),)),), score=0.9)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = copy_house(tmp_path_factory.mktemp("noncoding"))
    (folder / "data").mkdir()
    fasta = cut_fasta({"Chr2": 10_000}) + f">with|bar some words\n{'N' * 600}{TYR}\n>gap\n{'N' * 900}\n"
    (folder / "data/tiny.fa").write_text(fasta)
    (folder / "data/te.gff3").write_text(
        "one\tEDTA\tCopia_LTR_retrotransposon\t2000\t2990\t.\t-\t.\tName=T1;Classification=LTR/Copia\n"
    )
    parts = (("gene", "ID=t"), ("tRNA", "ID=t.1;Parent=t;product=tRNA-Tyr"), ("exon", "Parent=t.1"))
    (folder / "data/tiny.gff3").write_text(
        "##gff-version 3\n"
        + "".join(RNA.format("with|bar", kind, 611, 695, attributes) for kind, attributes in parts)
        # Cleaning wants a coding gene.
        + "".join(
            RNA.format("one", kind, 200, 799, attributes).replace("\t.\tParent", "\t0\tParent")
            for kind, attributes in (("gene", "ID=c"), ("mRNA", "ID=c.1;Parent=c"), ("CDS", "Parent=c.1"))
        )
    )
    genome = {
        "name": "tiny", "role": "predict", "genome": {"path": "data/tiny.fa"}, "annotation": {"path": "data/tiny.gff3"},
        "seqid_map": {"one": "Chr2"}, "repeats": {"path": "data/te.gff3"},
    }  # fmt: skip
    section = {"tRNA": "aragorn", "rRNA": "barrnap", "rfam": str(pybarrnap.config.KINGDOM2CM_DB["euk"])}
    model = {"model": str(ROOT / "resources/models/brassicales")}
    config = {"genomes": [genome], "clean": {"backend": "builtin"}, "predict": model, "noncoding": section}
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    prediction = folder / PREDICTION
    prediction.parent.mkdir(parents=True)
    genes = [coding("tiny_g000001", "Chr2", 2029, 2629), coding("tiny_g000002", "Chr2", 5000, 5600)]
    with prediction.open("w") as handle:
        write_gff3(handle, genes, CONTIGS, ["PhytoScribe"], for_counting=True)
    return folder


@pytest.fixture(scope="module")
def outputs(house):
    """Texts of the targets, each made with one and with two cores."""
    texts = []
    for cores in ("1", "2"):
        done = start(
            house, *TARGETS, "--cores", cores, "--forcerun", "find_trna", "find_rrna",
            "--allowed-rules", *RULES.split(), *OTHERS.split(),
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
        texts.append({target: (house / target).read_text() for target in TARGETS})
    return texts


def test_the_same_bytes_with_any_number_of_threads(outputs):
    assert outputs[0] == outputs[1]


def test_genes_of_all_programs_and_elements(outputs):
    text = outputs[0][TARGETS[0]]
    rows = [line.split("\t") for line in text.splitlines() if line[0] != "#"]
    whole = [row for row in rows if "Parent" not in row[8]]
    tops = [(*row[:3], int(row[3]), int(row[4]), row[6], row[8].split(";")[0]) for row in whole]
    assert tops == [
        ("Chr2", "EDTA", "LTR_retrotransposon", 2000, 2990, "-", "ID=tiny_m000001"),
        ("Chr2", "pybarrnap", "gene", 3707, 5512, "+", "ID=tiny_r000001"),
        ("Chr2", "pybarrnap", "gene", 5788, 5941, "+", "ID=tiny_r000002"),
        ("Chr2", "pybarrnap", "gene", 6136, 9518, "+", "ID=tiny_r000003"),
        ("with|bar", "ARAGORN", "gene", 611, 695, "+", "ID=tiny_r000004"),
    ]
    others = "cmscan also found, and left out here: 3 rRNA"
    for line in ("ARAGORN v", "pybarrnap ", "INFERNAL ", others, "mobile elements: data/te.gff3"):
        assert f"\n# {line}" in text
    assert "with|bar\tARAGORN\texon\t660\t695\t.\t+" in text


def test_the_joined_file_marks_doubtful_genes(house, outputs):
    text = outputs[0][TARGETS[1]]
    coding_lines = [line for line in (house / PREDICTION).read_text().splitlines() if "tiny_g0" in line]
    kept = [line.partition(";overlaps=")[0] for line in text.splitlines() if "tiny_g0" in line]
    assert kept == coding_lines
    assert text.count(";overlaps=LTR/Copia\n") == 1
    assert text.count(";overlaps=rRNA\n") == 1
    for target in TARGETS[:2]:
        done = subprocess.run(["gt", "gff3validator", str(house / target)], capture_output=True, text=True, check=False)
        assert done.stdout == "input is valid GFF3\n", done.stderr


def test_scores_of_the_type_that_the_annotation_has(outputs):
    rows = [line.split("\t") for line in outputs[0][TARGETS[2]].splitlines()]
    assert rows[0] == ["predictor", "level", "ruler", "subset", "metric", "value", "n"]
    assert {tuple(row[:3]) for row in rows[1:]} == {("ARAGORN", "tRNA", "place"), ("ARAGORN", "tRNA", "product")}
    assert {float(row[5]) for row in rows[1:]} == {1.0}


def test_quality_checks_read_the_same_repeats(outputs):
    rows = [line.split("\t") for line in outputs[0][TARGETS[3]].splitlines()]
    assert dict(row[1:3] for row in rows)["genes_in_repeats"] == "0.5"


def test_repeats_of_another_assembly_stop_the_run_by_line(house, outputs):
    repeats = house / "data/te.gff3"
    good = repeats.read_text()
    target = house / TARGETS[0]
    try:
        repeats.write_text(good + good.replace("2000\t2990", "9900\t10001"))
        done = start(house, TARGETS[0], "--cores", "1", "--allowed-rules", *RULES.split())
    finally:
        repeats.write_text(good)
    assert done.returncode == 1
    said = "PhytoScribe, rule merge_noncoding: data/te.gff3, line 2: the feature ends at 10001, past the end of 'Chr2'"
    assert done.stdout.count(said) == 1
    assert not target.exists() or target.read_text() == outputs[0][TARGETS[0]]
