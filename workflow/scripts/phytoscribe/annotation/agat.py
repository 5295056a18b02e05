"""The ``agat`` cleaner: AGAT's ``agat_convert_sp_gxf2gxf.pl``, watched.

AGAT ends with exit code 0 whatever happens: an unreadable file gives an empty output, an output that exists already is
left as it was, and lost genes are only mentioned in its log (observed with AGAT 1.7.0).  So it runs in a folder of its
own, its output is read back, and every gene of the source is looked for in it.

AGAT: Dainat J., https://doi.org/10.5281/zenodo.3552717.
"""

from __future__ import annotations

import logging
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from phytoscribe.annotation.feature_tree import read_features
from phytoscribe.annotation.gff_lines import GffRow
from phytoscribe.annotation.gff_reader import is_gene_type
from phytoscribe.annotation.model import GeneModel
from phytoscribe.annotation.normalise import normalise
from phytoscribe.annotation.repairs import RepairKind, RepairReport
from phytoscribe.errors import ToolError
from phytoscribe.files import scratch_folder

log = logging.getLogger(__name__)

PROGRAM = "agat_convert_sp_gxf2gxf.pl"


def clean_with_agat(path: str | Path, contigs: Mapping[str, int]) -> tuple[list[GeneModel], RepairReport, str]:
    """Gene models of a GFF3 or GTF file after AGAT, what was lost or repaired, and AGAT's version.

    AGAT's output goes through :func:`~phytoscribe.annotation.normalise.normalise`, which splits genes that lie on two
    strands, recomputes phases and refuses what is no interval.

    Raises:
        GffError: the source itself is unusable.
        ToolError: AGAT is not there, fails, or returns nothing for a file with genes.
    """
    source_genes = gene_rows(path, contigs)
    with scratch_folder("phytoscribe-agat-") as folder:
        output, version = run_agat(Path(path).resolve(), folder)
        kept = gene_rows(output, contigs)
        if source_genes and not kept:
            raise ToolError(
                f"{path}: AGAT {version} returned no gene at all for {len(source_genes)} gene lines; look at the file, "
                "or set clean.backend: builtin"
            )
        genes, report = normalise(output, contigs)
    report.genes_in = len(source_genes)
    for identifier, row in lost_genes(source_genes, kept):
        report.add(RepairKind.GENE_LOST, identifier, row.line, f"{row.contig}:{row.start + 1}-{row.end} {row.strand}")
    return genes, report, version


def run_agat(source: Path, folder: Path) -> tuple[Path, str]:
    """Run AGAT on ``source`` in the empty ``folder``; its output file and its version."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise ToolError(
            f"{PROGRAM} was not found: run Snakemake with --software-deployment-method conda, which installs AGAT, "
            "or set clean.backend: builtin in the configuration"
        )
    output = folder / "cleaned.gff3"
    command = [program, "--gff", str(source), "--output", str(output)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    printed = done.stdout + done.stderr
    log.info("AGAT said:\n%s", printed)
    if done.returncode != 0 or not output.exists() or output.stat().st_size == 0:
        tail = " | ".join(line.strip() for line in printed.splitlines()[-5:] if line.strip())
        raise ToolError(
            f"{source}: AGAT gave no result (exit code {done.returncode}): {tail or 'no message'}; "
            "look at the file, or set clean.backend: builtin"
        )
    found = re.search(r"[Vv]ersion:?\s*v?(\d[\w.]*)", printed)
    return output, found.group(1) if found else "of unknown version"


def gene_rows(path: str | Path, contigs: Mapping[str, int]) -> list[tuple[str, GffRow]]:
    """(id, line) of all gene lines of a file, repeated lines once; reading them checks every line."""
    found: dict[tuple[str, str, int, int, str], tuple[str, GffRow]] = {}
    for feature in read_features(path, contigs, RepairReport()):
        row = feature.row
        if is_gene_type(feature.kind):
            found.setdefault((feature.id, row.contig, row.start, row.end, row.strand), (feature.id, row))
    return list(found.values())


def lost_genes(before: list[tuple[str, GffRow]], after: list[tuple[str, GffRow]]) -> list[tuple[str, GffRow]]:
    """Genes of ``before`` that ``after`` holds neither by id nor by place.

    Two source genes of one id count as two: AGAT joins them.  AGAT gives some genes new ids, so a gene that overlaps
    one under another id on its strand is taken for that one.
    """
    copies = Counter(identifier for identifier, _ in after)
    known = {identifier for identifier, _ in before}
    renamed: dict[tuple[str, str], list[GffRow]] = {}
    for identifier, row in after:
        if identifier not in known:
            renamed.setdefault((row.contig, row.strand), []).append(row)
    lost = []
    for identifier, row in before:
        if copies[identifier] > 0:
            copies[identifier] -= 1
        elif not any(row.start < new.end and new.start < row.end for new in renamed.get((row.contig, row.strand), [])):
            lost.append((identifier, row))
    return lost
