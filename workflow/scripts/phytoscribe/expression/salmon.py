"""Run salmon on RNA-seq reads, and read what it found (Patro et al. 2017, doi:10.1038/nmeth.4197).

The index holds the transcripts of an annotation, and the genome as decoy (Srivastava et al. 2020,
doi:10.1186/s13059-020-02151-8): a read that fits the genome better than any transcript belongs to none.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from phytoscribe.annotation.model import GeneModel
from phytoscribe.annotation.sequences import transcript_of, write_fasta
from phytoscribe.errors import PhytoScribeError, ToolError
from phytoscribe.expression.matrix import read_matrix
from phytoscribe.files import atomic_path, scratch_folder
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.names import some_names
from phytoscribe.programs import require, run

log = logging.getLogger(__name__)

#: Share of the transcripts of a file that the annotation must know.
LEAST_FOUND = 0.5
#: Percent of the reads that map to transcripts: what is usual, and the least with which a sample is used.
USUAL_MAPPED, LEAST_MAPPED = 50.0, 5.0
#: ``--keepDuplicates``: transcripts of one sequence share their reads; without it all but one have no line.
INDEX_OPTIONS = ("--keepDuplicates",)
#: The library's type is found from its first reads (A). One fragment is enough for a result: ours says it better.
QUANT_OPTIONS = ("--libType", "A", "--seqBias", "--gcBias", "--minAssignedFrags", "1")
_TPM, _PURPOSE = "TPM", "genomes[].expression.reads"
#: Where salmon tells how many reads it has read and mapped.
_COUNTS = Path("aux_info", "meta_info.json")


class Quantified(NamedTuple):
    """What one file says of the annotation's genes.

    Attributes:
        tpm: by gene, summed over its transcripts.
        transcripts, found: transcripts in the file, and those of them that the annotation has.
    """

    tpm: dict[str, float]
    transcripts: int
    found: int


class Mapped(NamedTuple):
    """Reads of a sample, all and those that salmon assigns to transcripts; for a pair of files, pairs are counted."""

    reads: int
    on_transcripts: int

    @property
    def percent(self) -> float:
        return 100 * self.on_transcripts / self.reads if self.reads else 0.0


def index_transcripts(
    genes: Sequence[GeneModel], genome: Genome, fasta: str | Path, folder: str | Path, decoys: bool, threads: int
) -> None:
    """Write salmon's index of all transcripts of an annotation.

    Args:
        genome: opened from ``fasta``.
        folder: the index; written whole or not at all.
        decoys: the genome takes part as decoy; about six bytes of memory a base.

    Raises:
        PhytoScribeError: a transcript has a name that salmon would cut, or that a contig has, too.
        ToolError: salmon is missing or fails.
    """
    program = require("salmon", _PURPOSE)
    names = {transcript.id for gene in genes for transcript in gene.transcripts}
    if cut := sorted(name for name in names if len(name.split()) > 1):
        raise PhytoScribeError(
            f"ids of transcripts have spaces in them ({some_names(cut)}), where salmon would cut them; correct them in "
            "the annotation"
        )
    if decoys and (same := sorted(names & set(genome.contigs))):
        raise PhytoScribeError(
            f"{fasta}: contigs have the names of transcripts ({some_names(same)}), so that salmon cannot tell them "
            "apart; rename them, or set `decoys: false` under `expression` of the genome"
        )
    with scratch_folder("salmon-") as scratch, atomic_path(folder) as index:
        sequences, decoy_names = scratch / "sequences.fa", scratch / "decoys.txt"
        with sequences.open("w", encoding="utf-8") as handle:
            count = write_fasta(handle, _transcripts(genes, genome))
        options = [*INDEX_OPTIONS, "--threads", threads]
        if decoys:
            with sequences.open("ab") as target, Path(fasta).open("rb") as source:
                shutil.copyfileobj(source, target)
            decoy_names.write_text("".join(f"{name}\n" for name in genome.contigs), encoding="utf-8")
            options += ["--decoys", decoy_names]
        run([program, "index", "--transcripts", sequences, "--index", index, "--tmpdir", scratch / "tmp", *options])
    log.info("%s: %d transcripts, %s", folder, count, "the genome as decoy" if decoys else "no decoy")


def _transcripts(genes: Sequence[GeneModel], genome: Genome) -> Iterator[tuple[str, str]]:
    """Id and sequence of every transcript; each contig is read once."""
    by_contig = sorted(genes, key=lambda gene: gene.contig)
    for contig, members in groupby(by_contig, key=lambda gene: gene.contig):
        bases = genome.bases(contig)
        for gene in members:
            for transcript in gene.transcripts:
                yield transcript.id, transcript_of(transcript, bases)


def quantify_reads(
    sample: str, reads: Sequence[str | Path], index: str | Path, quantified: str | Path, threads: int
) -> list[str]:
    """Write how much of each transcript salmon finds in the reads of one sample.

    Args:
        sample: its name for messages.
        reads: one file of single reads, or the first and the second of pairs; checked, since salmon is silent about
            files that were cut off.
        index: the folder of :func:`index_transcripts`.
        quantified: the ``quant.sf``.

    Returns:
        Warnings that the user must see.

    Raises:
        PhytoScribeError: hardly any read maps.
        ToolError: salmon is missing or fails.
    """
    program = require("salmon", _PURPOSE)
    given = ["--unmatedReads", reads[0]] if len(reads) == 1 else ["--mates1", reads[0], "--mates2", reads[1]]
    with scratch_folder("salmon-") as scratch, atomic_path(quantified) as temporary:
        # The library's type must come before the files.
        options, out = [*QUANT_OPTIONS, "--threads", threads], scratch / "out"
        try:
            run([program, "quant", "--index", index, *options, *given, "--output", out])
        except ToolError as error:
            # Without a single mapped read salmon fails, too, but tells first how many it has read.
            if not (out / _COUNTS).exists():
                raise ToolError(f"{error}; {_told(out / 'logs' / 'salmon_quant.log')}") from error
        mapped = read_mapped(out)
        log.info("%s: %d of %d reads or pairs on transcripts", sample, mapped.on_transcripts, mapped.reads)
        warnings = check_mapped(sample, mapped)
        shutil.copyfile(out / "quant.sf", temporary)
    return warnings


def _told(log_file: Path) -> str:
    """What salmon calls an error in its log."""
    lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines() if log_file.exists() else []
    return " | ".join(line.partition("[error]")[2].strip() for line in lines if "[error]" in line) or "no reason given"


def read_mapped(folder: Path) -> Mapped:
    """The counts in a folder that salmon wrote."""
    found = json.loads((folder / _COUNTS).read_text(encoding="utf-8"))
    return Mapped(found["num_processed"], found["num_mapped"])


def check_mapped(sample: str, mapped: Mapped) -> list[str]:
    """A warning, if fewer reads than usual map to transcripts.

    Raises:
        PhytoScribeError: so few that the sample says nothing about the genes.
    """
    if mapped.percent >= USUAL_MAPPED:
        return []
    said = (
        f"expression of {sample}: {mapped.percent:.1f} % of {mapped.reads:,} reads or pairs map to transcripts of the "
        "annotation"
    )
    if mapped.percent < LEAST_MAPPED:
        raise PhytoScribeError(f"{said}; are they of another species or genome? Correct the files, or leave them out")
    return [f"{said}: another species or genome, much rRNA, or genes that the annotation lacks?"]


def read_quantified(path: str | Path, gene_of: Mapping[str, str]) -> Quantified:
    """TPM of genes from a ``quant.sf``.

    Args:
        gene_of: the gene of every transcript of the annotation.

    Raises:
        PhytoScribeError: the file is none of salmon's, or the annotation knows less than half of its transcripts.
    """
    matrix = read_matrix(path, [_TPM])
    genes: dict[str, float] = defaultdict(float)
    unknown = []
    for transcript, (value,) in zip(matrix.ids, matrix.values.tolist(), strict=True):
        # Names as in a FASTA of NCBI or GENCODE, which salmon cuts at the first bar only if it is told to.
        gene = gene_of.get(transcript) or gene_of.get(transcript.split("|", 1)[0])
        if gene is None:
            unknown.append(transcript)
        else:
            genes[gene] += value
    found = len(matrix.ids) - len(unknown)
    if found < LEAST_FOUND * len(matrix.ids):
        known = set(gene_of.values())
        if sum(name in known for name in unknown) >= LEAST_FOUND * len(matrix.ids):
            raise PhytoScribeError(
                f"{path}: has a line for each gene ({some_names(unknown, 3)}), but transcripts are needed; give "
                "salmon's quant.sf, not quant.genes.sf"
            )
        raise PhytoScribeError(
            f"{path}: the annotation has {found:,} of its {len(matrix.ids):,} transcripts (it lacks "
            f"{some_names(unknown)}); salmon's index must be of the transcripts of this annotation"
        )
    return Quantified(dict(genes), len(matrix.ids), found)
