"""Jobs that fail, through the project's profile: more memory for those that ran out of it, a clear word for others."""

from __future__ import annotations

import shutil
from pathlib import Path

from job_table import submitted_jobs
from slurm_chain import PROFILE
from tiny_workflow import ROOT, start


def test_out_of_memory_is_tried_with_more_and_the_broken_one_is_named(cluster, tmp_path):
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    shutil.copy(Path(__file__).parent / "failing/Snakefile", tmp_path)
    known = max(submitted_jobs()["job"], default=0)
    done = start(tmp_path, *PROFILE, "all")
    assert done.returncode == 1, done.stdout[-4000:]

    jobs = submitted_jobs(known, tmp_path)
    hungry = jobs[jobs["rules"] == "index_genome"]
    assert list(hungry["state"]) == ["FAILED", "COMPLETED"]
    assert list(hungry["asked_mb"]) == [1000, 2000]
    assert (tmp_path / "hungry.txt").read_text().strip() == "2"

    broken = jobs[jobs["rules"].str.startswith("break_always")]
    assert len(broken) == 3, "once, and two retries"
    report = done.stdout[done.stdout.rindex("Error in rule break_always") :]
    for word in ("SLURM-job", "broken.left.txt", "logs/broken.left.log", "logs/slurm/rule_break_always/left/"):
        assert word in report, f"{word} is not in the report"
    assert "part=left" in done.stdout
    assert "no such file" in (tmp_path / "logs/broken.left.log").read_text()

    assert all((tmp_path / f"fine.{number}.txt").exists() for number in (1, 2))
