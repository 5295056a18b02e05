"""The literal command of the README on a real SLURM: every stage, where it ran, and what it asked for and used."""

from __future__ import annotations

import pandas as pd
import pytest
from job_table import seconds_at_work
from slurm_chain import SHARDS

GPU_RULES = ("pretrain_encoder", "finetune_structure", "predict_shard")


def test_the_chain_ends_in_genes_scores_and_report(chain):
    results = chain.folder / "results"
    assert (results / "predictions/tiny.gff3").read_text().startswith("##gff-version 3")
    for name in ("genes", "isoforms", "evidence", "noncoding", "isoseq", "blast"):
        assert (results / f"evaluation/tiny.{name}.tsv").stat().st_size
    assert "# isoforms: lattice" in (results / "predictions/tiny.gff3").read_text()
    for told in ("# evidence 1: SJ.out.tab", "# evidence 2: athaliana.gff3.gz", "# protein evidence weights: "):
        assert told in (results / "predictions/tiny.gff3").read_text()
    assert "# evidence" not in (results / "predictions/tiny.dna.gff3").read_text()
    for name in ("junctions.bed.gz", "proteins.gff3.gz", "dna.gff3.gz"):
        assert (results / f"tracks/tiny/{name}").stat().st_size
    assert "\ttRNA\t" in (results / "predictions/tiny.all.gff3").read_text()
    assert (results / "report/report.html").stat().st_size > 10_000
    assert "jobs are watched with squeue, since this SLURM keeps no accounts" in chain.done.stdout
    assert set(chain.jobs["state"]) == {"COMPLETED"}


def test_training_and_prediction_alone_hold_gpus(chain):
    assert len(chain.jobs) > 10
    for job in chain.jobs.itertuples():
        needs_gpu = job.rules.startswith(GPU_RULES)
        assert (job.partition, job.gpus) == (("gpu", 1) if needs_gpu else ("cpu", 0)), job
    for rule in GPU_RULES:
        assert chain.jobs["rules"].str.startswith(rule).any(), rule


def test_a_dozen_submissions_are_enough_before_training(chain):
    training = chain.jobs.loc[chain.jobs["rules"].str.startswith("pretrain_encoder"), "job"].min()
    before = chain.jobs.loc[chain.jobs["job"] < training, "rules"]
    # RNA genes are searched and evidence is gathered meanwhile: training does not wait for them.
    needed = before[~before.str.startswith(("find_", "merge_noncoding", "evaluate_noncoding", "gather_"))]
    assert 4 <= len(needed) <= 12, before


def test_every_shard_is_a_job(chain):
    assert chain.jobs["rules"].str.startswith("predict_shard").sum() == SHARDS


def test_no_job_used_more_memory_than_it_asked_for(chain):
    known = chain.jobs.dropna(subset=["used_mb"])
    assert len(known) > len(chain.jobs) / 2
    assert (known["used_mb"] < known["asked_mb"]).all(), known[["rules", "asked_mb", "used_mb"]]


def test_downloads_ran_here(chain):
    assert not chain.jobs["rules"].str.contains("download").any()


@pytest.fixture(scope="module", autouse=True)
def written_down(chain):
    """The table of jobs, and what SLURM and Snakemake cost, in files and on the screen (`pytest -s`)."""
    work = seconds_at_work(chain.jobs)
    account = {
        "jobs": len(chain.jobs),
        "wall_seconds": round(chain.seconds),
        "seconds_with_a_rule_at_work": round(work),
        "overhead_seconds": round(chain.seconds - work),
    }
    chain.jobs.drop(columns=["submitted", "started", "ended"]).to_csv(
        chain.folder / "slurm_jobs.tsv", sep="\t", index=False, float_format="%.0f"
    )
    pd.Series(account).to_csv(chain.folder / "slurm_overhead.tsv", sep="\t", header=False)
    for name in ("slurm_jobs.tsv", "slurm_overhead.tsv"):
        print(f"\n{chain.folder / name}\n{(chain.folder / name).read_text()}", end="")
