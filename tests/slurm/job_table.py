"""What was submitted to SLURM, with what it asked for and what it used, as a table.

What was asked for is from ``scontrol``, what was used from the files of Snakemake's ``benchmark:`` directive, since
without accounts SLURM keeps none.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
from slurm_cluster import ask

COLUMNS = [
    "job", "rules", "partition", "nodes", "gpus", "cores", "asked_mb", "used_mb", "state",
    "submitted", "started", "ended", "job_seconds", "own_seconds",
]  # fmt: skip


def submitted_jobs(known: int = 0, folder: Path | None = None) -> pd.DataFrame:
    """All jobs with a number above ``known``, a row each; with ``folder`` those that run in it."""
    rows = []
    for line in ask("scontrol", "--oneliner", "show", "job").splitlines():
        fields = dict(re.findall(r"(\S+?)=(\S*)", line))
        if "JobId" not in fields or int(fields["JobId"]) <= known:
            continue
        if folder and Path(fields["WorkDir"]) != folder:
            continue
        # What the job was given; TRES would list GPUs only where SLURM keeps accounts.
        gpus = re.search(r"gres:gpu(?::\w+)?:(\d+)", fields.get("TresPerJob", ""))
        row = {
            "job": int(fields["JobId"]),
            "rules": fields.get("Comment", "").removeprefix("rule_"),
            "partition": fields["Partition"],
            "nodes": int(fields["NumNodes"].partition("-")[0]),
            "gpus": int(gpus.group(1)) if gpus else 0,
            "cores": int(fields["NumCPUs"]),
            # Nothing for a job that asks for memory by core, as none of the profile does.
            "asked_mb": megabytes(fields.get("MinMemoryNode", "nan")),
            "state": fields["JobState"],
        }
        for name, field in (("submitted", "SubmitTime"), ("started", "StartTime"), ("ended", "EndTime")):
            row[name] = fields[field]
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS)
    for name in ("submitted", "started", "ended"):
        table[name] = pd.to_datetime(table[name], format="ISO8601", errors="coerce")
    table["job_seconds"] = (table["ended"] - table["started"]).dt.total_seconds()
    return table.sort_values("job", ignore_index=True)


def with_use(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The same with the memory and the seconds that the rules' own work took, by the benchmark files of a run.

    A group has the largest memory of its rules and the sum of their times.
    """
    table = table.copy()
    measured = benchmarks(folder)
    for row, name in table["rules"].items():
        rules, _, wildcards = name.partition("_wildcards_")
        mine = measured[measured["rule"] == rules]
        if mine.empty:  # a group, whose name is its own and that of its rules
            mine = measured[[rule in rules for rule in measured["rule"]]]
        if wildcards:
            mine = mine[mine["wildcards"] == wildcards]
        table.loc[row, "used_mb"] = mine["max_rss"].max() * 1.048576
        table.loc[row, "own_seconds"] = mine["s"].sum()
    return table


def seconds_at_work(table: pd.DataFrame) -> float:
    """Seconds in which at least one rule was at its own work, which ends when its job does."""
    work = table.dropna(subset=["own_seconds"])
    begins = work["ended"] - pd.to_timedelta(work["own_seconds"], unit="s")
    total, until = 0.0, pd.Timestamp.min
    for start, end in sorted(zip(begins, work["ended"], strict=True)):
        total += max(0.0, (end - max(start, until)).total_seconds())
        until = max(until, end)
    return total


def benchmarks(folder: Path) -> pd.DataFrame:
    """Columns rule, wildcards, s, max_rss (MiB) of all benchmark files under a run's folder."""
    found = []
    for file in sorted((folder / "results/benchmarks").rglob("*.tsv")):
        table = pd.read_csv(file, sep="\t", na_values=["-", "NA"])
        table["rule"] = file.relative_to(folder / "results/benchmarks").parts[0].removesuffix(".tsv")
        table["wildcards"] = file.stem.replace(".", "_")
        found.append(table[["rule", "wildcards", "s", "max_rss"]])
    return pd.concat(found, ignore_index=True)


def megabytes(text: str) -> float:
    """``4000M`` or ``8G`` as a number of megabytes."""
    return float(text.rstrip("MG")) * (1024 if text.endswith("G") else 1)
