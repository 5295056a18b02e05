"""Rules of expression: nothing runs by default, and `all` makes what the heads of the configuration can tell."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from simulated_reads import FRAGMENT, simulated_pairs, write_fastq
from tiny_workflow import ROOT, jobs_of, start, tiny_config, write_config

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.sequences import transcript_of
from phytoscribe.genome.fasta import Genome, write_index

RULES = {"take_expression", "make_gene_windows", "train_expression", "predict_expression", "evaluate_expression"}
SCORES = "results/evaluation/expression.tsv"


@pytest.fixture
def with_levels(house):
    """Write a configuration whose training genome has measured expression."""
    (house / "data/tpm.tsv").write_text("gene\tleaf\tbud\nAT1G01010\t5\t7\n")

    def write(promoters=False, genes=0, **section):
        config = tiny_config() | {"attribution": {"promoters": promoters, "genes": genes}}
        config["genomes"][0]["expression"] = {"path": "data/tpm.tsv"}
        # The house has no released models.
        motifs = {"motifs": str(ROOT / "resources/models/brassicales/regulatory")}
        write_config(house, config | {"expression": motifs | section})
        return house

    return write


def test_nothing_runs_by_default(with_levels):
    done = start(with_levels(), "all", "-n")
    assert done.returncode == 0, done.stdout[-2000:]
    assert not RULES & set(jobs_of(done.stdout))


def test_all_predicts_every_genome_and_scores_heads_that_are_trained(with_levels):
    done = start(with_levels(model="trained"), "all", "-n")
    assert done.returncode == 0, done.stdout[-2000:]
    assert {rule: count for rule, count in jobs_of(done.stdout).items() if rule in RULES} == {
        **dict.fromkeys(RULES, 1), "predict_expression": 2,
    }  # fmt: skip


def test_what_the_heads_look_at_is_made_with_all_if_genes_are_asked_for(with_levels):
    done = start(with_levels(model="trained"), "results/evaluation/expression_profile.tsv", "-n")
    assert done.returncode == 1
    assert "attribution.genes is 0; set it to the number of genes to explain" in done.stdout
    done = start(with_levels(model="trained", genes=5), "all", "-n")
    assert done.returncode == 0, done.stdout[-2000:]
    jobs = jobs_of(done.stdout)
    asked = ("explain_expression", "track_importance", "copy_importance", "train_expression")
    assert [jobs.get(rule) for rule in asked] == [1, 2, 2, 1]


def test_scores_need_all_rules_and_another_genome_the_heads_alone(with_levels):
    done = start(with_levels(model="trained", encoder="frozen"), SCORES, "results/expression/other.tsv", "-n")
    assert done.returncode == 0, done.stdout[-2000:]
    jobs = jobs_of(done.stdout)
    assert set(jobs) >= RULES | {"cluster_paralogs", "finetune_structure", "merge_predictions"}
    assert (jobs["predict_expression"], jobs["take_expression"]) == (2, 1)


def test_released_heads_ask_for_the_structure_model_without_being_told(with_levels):
    house = with_levels(model=str(ROOT / "resources/models/brassicales/expression"), encoder="none")
    for target, genomes in (("results/expression/other.tsv", 1), ("all", 2)):
        done = start(house, target, "-n")
        assert done.returncode == 0, done.stdout[-2000:]
        jobs = jobs_of(done.stdout)
        assert "finetune_structure" in jobs, "the tiny configuration trains it"
        assert {rule: jobs[rule] for rule in RULES & set(jobs)} == {"predict_expression": genomes}


def test_without_a_head_the_target_is_refused(with_levels):
    done = start(with_levels(), SCORES, "-n")
    assert done.returncode == 1
    assert f"{SCORES}: expression.model is none; set it to trained" in done.stdout
    assert start(with_levels(), "results/expression/tiny.measured.tsv", "-n").returncode == 0


@pytest.fixture
def with_reads(house):
    """A configuration with reads of genes of Chr1 at known levels, which grow by a third from gene to gene."""
    write_index(house / "data/tiny.fa", house / "data/tiny.fa.fai")
    with Genome(house / "data/tiny.fa") as genome:
        genes = [gene for gene in read_gff3(house / "data/tiny.gff3", genome.contigs) if gene.contig == "Chr1"]
        bases = genome.bases("Chr1")
    sequences = {gene.id: transcript_of(gene.representative, bases) for gene in genes}
    long = {name: text for name, text in sequences.items() if len(text) > 2 * FRAGMENT}
    levels = {name: 1.33**number for number, name in enumerate(sorted(long)[:20])}
    pairs = simulated_pairs({name: long[name] for name in levels}, levels, 8000, seed=5)
    for name, of_mate in (("1.fq.gz", 1), ("2.fq.gz", 2)):
        write_fastq(house / "data" / name, [(pair[0], pair[of_mate]) for pair in pairs])
    config = tiny_config()
    served = (house / "data/1.fq.gz").as_uri()
    samples = {"leaf": [{"first": "data/1.fq.gz", "second": "data/2.fq.gz"}], "root": [{"first": {"url": served}}]}
    config["genomes"][0] |= {"expression": {"reads": samples}}
    write_config(house, config)
    return house, levels


@pytest.mark.skipif(shutil.which("salmon") is None, reason="salmon is not installed (tools/install_programs.sh)")
def test_levels_come_from_reads(with_reads):
    house, levels = with_reads
    done = start(house, "results/expression/tiny.measured.tsv", "--cores", "1")
    assert done.returncode == 0, done.stdout[-4000:]
    table = pd.read_csv(house / "results/expression/tiny.measured.tsv", sep="\t", index_col="gene")
    wanted = pd.Series(levels)
    assert set(wanted.index) <= set(table.index)
    for tissue in ("leaf", "root"):
        assert table[tissue].reindex(wanted.index).corr(wanted, method="spearman") > 0.95
    (record,) = (house / "resources/genomes/tiny/rnaseq").rglob("*.source.json")
    assert record.relative_to(house / "resources/genomes/tiny/rnaseq").as_posix() == "root/1.first.source.json"
    again = start(house, "results/expression/tiny.measured.tsv", "-n")
    assert "Nothing to be done" in again.stdout


def test_promoters_as_points_need_levels_and_no_heads(with_levels):
    target = "results/evaluation/promoter_embedding.tsv"
    refused = start(with_levels(), target, "-n")
    assert refused.returncode == 1
    assert f"{target}: attribution.promoters is false; set it to true" in refused.stdout
    house = with_levels(promoters=True)
    done = start(house, "results/report/report.html", "-n")
    assert done.returncode == 0, done.stdout[-2000:]
    jobs = jobs_of(done.stdout)
    assert set(jobs) >= {"embed_promoters", "take_expression", "make_gene_windows", "finetune_structure"}
    assert not {"train_expression", "check_attribution", "compare_filters"} & set(jobs)
