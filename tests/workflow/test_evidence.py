"""Evidence by the workflow's rules: what runs for a genome that has some, and what a user sees of a wrong file."""

from __future__ import annotations

import pytest
from tiny_workflow import OTHER, ROOT, copy_house, jobs_of, start, tiny_config, write_config, write_tiny_data

from phytoscribe.genome.fasta import Genome, check_fasta, write_index
from phytoscribe.genome.sequence import decode


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    folder = copy_house(tmp_path_factory.mktemp("evidence"))
    write_tiny_data(folder)
    (folder / "data/wrong.tab").write_text("Chr99\t201\t300\t1\t1\t0\t7\t3\t40\n")
    (folder / "data/proteins.faa").write_text(">p\nMKV\n")
    check_fasta(folder / "data/other.fa", folder / "copy.fa")
    write_index(folder / "copy.fa", folder / "copy.fa.fai")
    with Genome(folder / "copy.fa") as genome:
        text = decode(genome.bases(OTHER[0]))
    start, end = text.index("GT", 500), text.index("AG", 700) + 2
    (folder / "data/SJ.out.tab").write_text(f"{OTHER[0]}\t{start + 1}\t{end}\t1\t1\t0\t7\t3\t40\n")
    return folder


def test_a_model_that_is_trained_here_learns_what_evidence_weighs(house):
    config = tiny_config()
    for genome in config["genomes"]:
        genome["evidence"] = {"rnaseq": ["data/SJ.out.tab"]}
        genome["evidence"]["proteins"] = ["data/proteins.faa"]
    config["genomes"][0]["evidence"]["isoseq"] = True
    write_config(house, config)
    done = start(house, "annotate", "-n")
    assert done.returncode == 0, done.stdout[-3000:]
    jobs = jobs_of(done.stdout)
    assert (jobs["gather_evidence"], jobs["judge_evidence"]) == (2, 2)
    assert (jobs["fit_evidence"], jobs["align_isoseq"]) == (1, 1)
    assert (jobs["gather_proteins"], jobs["fit_protein_evidence"]) == (2, 1)
    assert "merge_predictions_from_dna" not in jobs
    jobs = jobs_of(start(house, "results/report/report.html", "-n").stdout)
    assert jobs["merge_predictions_from_dna"] == jobs["evaluate_evidence"] == jobs["evaluate_genes"]
    assert jobs["predict_shard"] == 2 * jobs["merge_predictions"], "of two shards, and none of them twice"


def test_without_evidence_nothing_of_it_runs_or_reaches_the_prediction(house):
    write_config(house, tiny_config())
    done = start(house, "annotate", "-n")
    assert done.returncode == 0, done.stdout[-3000:]
    assert not [job for job in jobs_of(done.stdout) if "evidence" in job or "proteins" in job]


def test_a_released_model_brings_its_weights_and_a_wrong_file_is_left_out_on_demand(house):
    config = tiny_config()
    config["genomes"] = config["genomes"][1:]
    config["predict"]["model"] = str(ROOT / "resources/models/brassicales")
    (genome,) = config["genomes"]
    genome["evidence"] = {"rnaseq": ["data/wrong.tab", "data/SJ.out.tab"], "strict": True}
    write_config(house, config)
    table = house / "results/evidence/other.junctions.tsv"
    done = start(house, "results/evidence/other.junctions.tsv")
    assert done.returncode != 0
    assert "data/wrong.tab, line 1: the contig 'Chr99' is not in the FASTA" in done.stdout
    assert not table.exists()
    genome["evidence"]["strict"] = False
    write_config(house, config)
    done = start(house, "results/evidence/other.junctions.tsv")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "warning: other: evidence is left out: data/wrong.tab" in done.stdout
    assert table.read_text().splitlines()[-1].endswith("\t7")
    jobs = jobs_of(start(house, "results/predictions/other.gff3", "-n").stdout)
    assert set(jobs) == {"predict_shard", "merge_predictions"}
