"""Damaged files: each is read to something sound, or refused with one clear message; no traceback, no hang.

``benchmarks/fuzz_readers.py`` runs the same for as long as you like.  What it found is kept here, as small as it gets.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from reader_fuzzing import TARGETS
from reader_rules import annotation_rules, index_rules

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome

SECONDS = 20
FIRST_SEED = 1
GENE = "chr1\tx\tgene\t1\t9\t.\t+\t.\tID=g\n"


@pytest.mark.parametrize("target", TARGETS)
def test_damaged_files_are_read_or_refused(tmp_path, capsys, target):
    result = TARGETS[target](tmp_path, SECONDS, FIRST_SEED)
    with capsys.disabled():
        print(f"\n{target}: {result}")
    assert result.tried >= 100
    assert 0 < result.taken < result.tried


ANNOTATIONS = {
    "unknown name behind a FASTA section": f"{GENE}##FASTA\n>chr1\nACGT\n{GENE.replace('chr1', 'foo')}",
    "unknown name and a number of 5,000 digits": f"{GENE.replace('chr1', 'foo')}{GENE.replace('9', '9' * 5000)}",
    "control characters in a name": GENE.replace("chr1", "chr1%1F%0A\x85"),
    "endless name": GENE.replace("chr1", "c" * 30_000),
    "endless parent": f"{GENE}chr1\tx\tmRNA\t1\t9\t.\t+\t.\tID=t;Parent={'g' * 30_000}\n",
    "endless id": f"{GENE}chr1\tx\tmRNA\t1\t9\t.\t+\t.\tID={'t' * 30_000};Parent=g\n",
    "a biotype that is a type with a comma": f"{GENE}chr1\tx\todd, transcript\t1\t9\t.\t+\t.\tID=t;Parent=g\n"
    "chr1\tx\texon\t1\t9\t.\t+\t.\tParent=t\n",
    "a score of six digits": GENE.replace(".\t+", "0.249046\t+") + "chr1\tx\tmRNA\t1\t9\t.\t+\t.\tID=t;Parent=g\n"
    "chr1\tx\texon\t1\t9\t.\t+\t.\tParent=t\n",
    "parts of a transcript that has no line, behind a gene with a bare id": "chr1\tx\tgene\t1\t9\t.\t+\t.\tg1\n"
    'chr1\tx\tCDS\t4\t6\t.\t+\t0\ttranscript_id "t"; gene_id "g1";\n'
    'chr1\tx\tstop_codon\t7\t9\t.\t+\t0\ttranscript_id "t"; gene_id "g1";\n',
}


@pytest.mark.parametrize("what", ANNOTATIONS)
def test_annotations_that_once_failed(tmp_path, what):
    path = tmp_path / "a.gff3"
    path.write_text(ANNOTATIONS[what], encoding="utf-8", newline="\n")
    annotation_rules(path, {"chr1": 100})


FASTA = b">a\nACGT\n"
INDEX = "a\t4\t3\t4\t5\n"
GENOMES = {
    "FASTA emptied": (b"", INDEX),
    "FASTA cut": (b">a\nAC", INDEX),
    "a control character": (b">a\nAC\x14T\n", INDEX),
    "a byte that is no text": (b">a\nAC\xb3T\n", INDEX),
    "a letter of three bytes": (b">a\nA\xe2\x80\xa8CGT\n", INDEX),
    "FASTA packed later": (gzip.compress(FASTA), INDEX),
    "line width no number": (FASTA, "a\t4\t3\t6p\t61\n"),
    "columns empty": (FASTA, "a\t4\t3\t\t\n"),
    "offset negative": (FASTA, "a\t4\t-1\t4\t5\n"),
    "offset of 5,000 digits": (FASTA, f"a\t4\t{'9' * 5000}\t4\t5\n"),
    "line width huge": (FASTA, "a\t4\t3\t4\t99999999999999\n"),
    "length huge": (FASTA, "a\t2147483648\t3\t4\t5\n"),
    "lines of no bases": (FASTA, "a\t4\t3\t0\t0\n"),
    "name empty": (FASTA, "\t4\t3\t4\t5\n"),
    "name endless, a column missing": (FASTA, f"{'a' * 60_000}\t4\t3\t4\n"),
}


@pytest.mark.parametrize("what", GENOMES)
def test_a_genome_that_does_not_fit_its_index_is_refused(tmp_path, what):
    path = tmp_path / "a.fa"
    fasta, index = GENOMES[what]
    path.write_bytes(fasta)
    Path(f"{path}.fai").write_text(index)
    index_rules(path)
    with pytest.raises(PhytoScribeError):
        read_all(path)


def read_all(path: Path) -> None:
    with Genome(path) as genome:
        for name in genome.contigs:
            genome.bases(name)
