"""Genes of other non-coding RNAs by Infernal's cmscan, with Rfam or any other covariance models of the user.

Infernal: Nawrocki and Eddy 2013, Bioinformatics 29:2933 (doi 10.1093/bioinformatics/btt509).  Rfam: Ontiveros-Palacios
et al. 2025, Nucleic Acids Research 53:D258 (doi 10.1093/nar/gkae1023).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from phytoscribe.annotation.sequences import write_fasta
from phytoscribe.errors import ToolError
from phytoscribe.files import scratch_folder
from phytoscribe.genome.fasta import Genome
from phytoscribe.noncoding import pressed_mistake
from phytoscribe.noncoding.pieces import Rna, search
from phytoscribe.programs import require, run, version_line

#: Rfam's own thresholds and speed, as Rfam annotates genomes.  A hit that a better one overlaps is not written.
OPTIONS = ("--cut_ga", "--nohmmonly", "--rfam", "--noali", "--fmt", "2", "--oskip")
#: For each run cmscan reads all models again, so its pieces are longer than those of other programs.
PIECE = 10_000_000
#: By name or description of a family: term of the Sequence Ontology; None for what is a part of other genes.
_KINDS: tuple[tuple[str, str | None], ...] = (
    (r"(?i)riboswitch|\bgroup II? |intron_gp|\bIRES\b|ribosome entry|\bleader\b|frameshift", None),
    (r"(?i)thermo(meter|regulator)|cis-regulatory|\bUTR\b", None),
    (r"\btRNA\b|\btRNA[-_]", "tRNA"),
    (r"rRNA|ribosomal RNA", "rRNA"),
    (r"\bmicroRNA\b|\bmi[rR][-_]?\d|\bMIR[-_]?\d|\bmiRNA\b|\blet-7\b", "pre_miRNA"),
    (r"small Cajal", "scaRNA"),
    (r"nucleolar|\bsno(R|RNA|Z|U)?[\d_]|\bSNOR", "snoRNA"),
    (r"spliceosomal|small nuclear RNA|\bsnRNA\b", "snRNA"),
    (r"signal recognition|\bSRP\b", "SRP_RNA"),
    (r"RNase[ _]?MRP", "RNase_MRP_RNA"),
    (r"RNase[ _]?P", "RNase_P_RNA"),
    (r"telomerase", "telomerase_RNA"),
    (r"antisense", "antisense_RNA"),
    (r"long non-?coding|lncRNA|lincRNA", "lnc_RNA"),
    (r"ribozyme", "ribozyme"),
)


def family_type(name: str, description: str) -> str | None:
    """Term of the Sequence Ontology for a family; None for elements of other genes, such as riboswitches."""
    text = f"{name.replace('_', ' ')} {name} {description}"
    return next((kind for pattern, kind in _KINDS if re.search(pattern, text)), "ncRNA")


def find_ncrna(
    genome: Genome, contigs: Mapping[str, int], models: str, clans: str | None, without: Collection[str], threads: int
) -> tuple[list[Rna], str, Counter[str]]:
    """Genes of the families of ``models`` in order of place.

    Args:
        models: pressed covariance models.
        clans: Rfam's ``Rfam.clanin``, or None.
        without: types that other programs find.
        threads: the result does not depend on it.

    Returns:
        The genes; a line with the program, its version and its options; and hits that were left out, by type or family.

    Raises:
        ToolError: the models are not pressed, or cmscan is missing or fails.
    """
    mistake = pressed_mistake(models)
    if mistake:
        raise ToolError(f"noncoding.rfam: {mistake}")
    program = require("cmscan", "noncoding.rfam")
    left_out: Counter[str] = Counter()
    # Both strands of all of it, so that E-values do not depend on the pieces.
    size = f"{2 * sum(contigs.values()) / 1e6:.6f}"
    options = [*OPTIONS, *(("--clanin", clans) if clans else ()), "-Z", size]

    def find(sequences: Sequence[tuple[str, str]]) -> list[Rna]:
        with scratch_folder("cmscan-") as folder:
            fasta, table = folder / "pieces.fa", folder / "hits.tbl"
            with fasta.open("w", encoding="utf-8") as handle:
                write_fasta(handle, sequences)
            try:
                # Its alignments and messages for each sequence are not needed.
                run([program, *options, "--cpu", threads, "--tblout", table, "-o", os.devnull, models, fasta])
            except ToolError as error:
                raise ToolError(f"{error}{_advice(str(error), models)}") from error
            return read_hits(table)

    kept = []
    for rna in search(genome, contigs, find, 1, PIECE):
        if rna.type and rna.type not in without:
            kept.append(rna)
        else:
            left_out[rna.type or f"{rna.attributes['product']} (no gene)"] += 1
    version = version_line(program, "-h", "INFERNAL")
    named = [*OPTIONS, *(("--clanin", Path(clans).name) if clans else ()), "-Z", size, Path(models).name]
    return kept, f"{version}: cmscan {' '.join(named)}", left_out


def _advice(message: str, models: str) -> str:
    if "GA" in message and "threshold" in message:
        return "; each model needs a GA line, as Rfam's have"
    return f"; if the models were changed or written by another version, run: cmpress -F {models}"


def read_hits(table: Path) -> list[Rna]:
    """Hits in cmscan's table of format 2; the type of what is no gene is empty.

    Raises:
        ToolError: the table is not complete, or a row is of another form.
    """
    found, columns, whole = [], 0, False
    for line in table.read_text(encoding="utf-8").splitlines():
        if line.startswith("#-"):
            columns = len(line.split())
        whole = whole or line.startswith("# [ok]")
        if line.startswith("#") or not line.strip():
            continue
        words = line.split(maxsplit=columns - 1)
        try:
            name, family, contig = words[1:4]
            first, last, strand, score = int(words[9]), int(words[10]), words[11], float(words[16])
        except (IndexError, ValueError) as error:
            raise ToolError(f"cmscan wrote a row that is not understood: {line!r}; install Infernal 1.1") from error
        description = words[-1] if len(words) == columns and words[-1] != "-" else name
        attributes = {"product": description, "Name": name, **({"Dbxref": f"RFAM:{family}"} if family != "-" else {})}
        found.append(
            Rna(
                contig,
                min(first, last) - 1,
                max(first, last),
                strand,
                family_type(name, description) or "",
                score,
                attributes=attributes,
            )
        )
    if not whole:
        raise ToolError(f"{table}: cmscan has not finished its table; is the disk full?")
    return found
