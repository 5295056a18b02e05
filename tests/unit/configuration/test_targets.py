"""Requested files of genomes that the configuration does not list."""

from __future__ import annotations

import pytest

from phytoscribe.configuration.genomes import Genomes
from phytoscribe.configuration.result_files import check_targets
from phytoscribe.errors import ConfigError

KNOWN = Genomes(
    {
        "genomes": [
            {
                "name": "athaliana",
                "role": "test",
                "genome": {"path": "a.fa"},
                "annotation": {"path": "a.gff3"},
                "augustus": "arabidopsis",
            },
            {"name": "rcommunis", "role": "predict", "genome": {"path": "r.fa"}, "isoseq": [{"path": "r.fq"}]},
        ],
        "predict": {"model": "trained", "scope": "all"},
        "split": {"mode": "cluster"},
    }
)


@pytest.mark.parametrize(
    "target",
    [
        "results/predictions/typo.gff3",
        "./results/predictions/typo.proteins.faa",
        "results/evaluation/typo.genes.tsv",
        "results/evaluation/augustus/typo.gff3",
        "results/clean/typo.rejected.tsv",
        "results/splits/loci/typo.tsv",
        "resources/genomes/typo/typo.fa",
        "results/predictions/shards/typo/000.jsonl",
        "results/tracks/typo/igv_session.xml",
    ],
)
def test_unknown_genome_is_named_with_the_known_ones(target):
    with pytest.raises(
        ConfigError, match="no genome 'typo' in the configuration; its genomes are: athaliana, rcommunis"
    ):
        check_targets(["-n", target], KNOWN)


def test_near_miss_is_suggested():
    with pytest.raises(ConfigError, match=r"did you mean 'athaliana'\?"):
        check_targets(["results/predictions/athalian.gff3"], KNOWN)


def test_other_arguments_pass():
    check_targets(
        [
            "--profile",
            "profiles/slurm",
            "all",
            "results/predictions/athaliana.gff3",
            "results/tracks/rcommunis/igv_session.xml",
            "results/tracks/athaliana/augustus.gff3.gz",
            "results/evaluation/augustus/athaliana.gff3",
            "results/evaluation/rcommunis.blast.tsv",
            "results/clean/athaliana.gff3",
            "results/isoforms/rcommunis.sentences.tsv",
            "resources/genomes/rcommunis/rcommunis.fa",
            "resources/genomes/rcommunis/genome.source.json",
            "resources/genomes/manifest.tsv",
            "results/splits/splits.tsv",
            "results/report/report.html",
        ],
        KNOWN,
    )


@pytest.mark.parametrize(
    ("target", "lacking"),
    [
        ("results/clean/rcommunis.gff3", "annotation; genomes that have: athaliana"),
        ("results/isoforms/rcommunis.gff3", "annotation; genomes that have: athaliana"),
        ("./results/clean/rcommunis.rejected.tsv", "annotation"),
        ("resources/genomes/rcommunis/rcommunis.annotation.gff3", "annotation"),
        ("resources/genomes/rcommunis/annotation.source.json", "annotation; genomes that have: athaliana"),
        ("resources/genomes/athaliana/isoseq.fastq.gz", "Iso-Seq reads; genomes that have: rcommunis"),
        ("resources/genomes/athaliana/isoseq.source.json", "Iso-Seq reads"),
        ("results/evaluation/rcommunis.genes.tsv", "reference genes"),
        ("results/predictions/athaliana.dna.gff3", "no evidence, or no held-out reference genes"),
        ("results/evaluation/athaliana.evidence.tsv", "no evidence, or no held-out reference genes"),
        ("results/tracks/athaliana/junctions.bed.gz", "evidence by reads"),
        ("results/tracks/athaliana/proteins.gff3.gz", "evidence by proteins"),
        ("results/evaluation/augustus/rcommunis.gff3", "AUGUSTUS species"),
        ("results/tracks/rcommunis/reference.gff3.gz", "reference annotation"),
        ("results/tracks/rcommunis/augustus.gff3.gz", "AUGUSTUS species"),
        ("results/tracks/athaliana/reads.bam", "Iso-Seq reads"),
        ("results/evaluation/athaliana.isoseq.tsv", "Iso-Seq reads; genomes that have: rcommunis"),
        ("results/evaluation/athaliana.isoseq_agreement.tsv", "Iso-Seq reads; genomes that have: rcommunis"),
    ],
)
def test_file_that_a_genome_cannot_have(target, lacking):
    with pytest.raises(ConfigError, match=lacking):
        check_targets([target], KNOWN)
