"""The junctions of all files of a genome's evidence in one table (rule gather_evidence)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.long_reads.alignments import ReadFilter
from phytoscribe.files import sha256_of
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.junction_table import EvidenceFile, write_gathered
from phytoscribe.genome.junctions import Junction, read_junctions
from phytoscribe.genome.spliced_reads import StrandOf, read_spliced_reads, strand_by_motif

log = logging.getLogger(__name__)

#: Endings of files with aligned reads; all others are files of junctions.
ALIGNMENTS = (".bam", ".cram", ".sam")
#: Least share of spliced reads whose introns have the ends of introns.  Of true ones nearly all have.
LEAST_CANONICAL = 0.5


def gather_evidence(
    rnaseq: Sequence[str | Path],
    isoseq: tuple[str | Path, str | Path] | None,
    fasta: str | Path,
    table: str | Path,
    strict: bool = True,
    seqid_map: Mapping[str, str | None] | None = None,
) -> list[str]:
    """Read all evidence of a genome and write the table of its junctions, file by file.

    Introns that do not begin and end as introns do (GT-AG, GC-AG, AT-AC) are left out: nearly all of them are wrong
    alignments.

    Args:
        rnaseq: alignments (:data:`ALIGNMENTS`) or files of junctions.
        isoseq: BAM file of the genome's own long reads, and these reads, if they are wanted.
        fasta: the indexed genome.
        table: written.
        strict: whether a file that is no evidence for this genome is an error; else it is left out.
        seqid_map: names of sequences in files of junctions, where they differ from the genome's.

    Returns:
        Warnings, one for each file that was left out.

    Raises:
        PhytoScribeError: a file is no evidence for this genome, and ``strict``.
    """
    kept: dict[int, Counter[Junction]] = {}
    files, warnings = [], []
    with Genome(fasta) as genome:
        strand_by = strand_by_motif(genome)
        for path, read in _readers(rnaseq, isoseq, genome, seqid_map):
            # Of alignments made here the checksum would change with the number of threads.
            source = isoseq[1] if isoseq and path == isoseq[0] else path
            name, digest = Path(source).name, sha256_of(source)
            try:
                found = _canonical(read(), path, strand_by)
            except PhytoScribeError as error:
                if strict:
                    raise PhytoScribeError(f"{error} (or set strict: false to go on without this file)") from error
                warnings.append(f"evidence is left out: {error}")
                files.append(EvidenceFile(name, digest, left_out=str(error).replace(str(path), name)))
                continue
            files.append(EvidenceFile(name, digest, found.total(), len(found)))
            kept[len(files)] = found
        write_gathered(table, files, kept, genome.contigs)
    for file in files:
        log.info("%s", file)
    return warnings


def _readers(
    rnaseq: Sequence[str | Path],
    isoseq: tuple[str | Path, str | Path] | None,
    genome: Genome,
    seqid_map: Mapping[str, str | None] | None,
) -> Iterator[tuple[str | Path, Callable[[], Counter[Junction]]]]:
    """Each file with a function that reads its junctions."""
    strand_by = strand_by_motif(genome)
    for path in rnaseq:
        if str(path).lower().endswith(ALIGNMENTS):
            yield path, partial(read_spliced_reads, path, genome.path, genome.contigs, strand_by)
        else:
            yield path, partial(read_junctions, path, genome.contigs, seqid_map, strand_by)
    if isoseq:
        yield isoseq[0], partial(long_read_junctions, isoseq[0], genome.contigs)


def long_read_junctions(bam: str | Path, contigs: Mapping[str, int]) -> Counter[Junction]:
    """Reads by junction of aligned Iso-Seq reads that pass the usual limits (:class:`ReadFilter`)."""
    reads: Counter[Junction] = Counter()
    for alignment in ReadFilter(bam, set(contigs)):
        reads.update((alignment.contig, alignment.strand, intron) for intron in alignment.introns)
    return reads


def _canonical(found: Counter[Junction], path: str | Path, strand_by: StrandOf) -> Counter[Junction]:
    """The junctions with the ends of introns on their strand.

    Raises:
        PhytoScribeError: there is no junction, or most reads splice others.
    """
    if not found.total():
        raise PhytoScribeError(f"{path}: no read splices a junction; check the file, or leave it out")
    kept = Counter({key: reads for key, reads in found.items() if reads and strand_by(key[0], key[2]) == key[1]})
    share = kept.total() / found.total()
    if share < LEAST_CANONICAL:
        raise PhytoScribeError(
            f"{path}: only {100 * share:.0f} % of its reads splice introns that begin and end as introns do (GT-AG, "
            "GC-AG, AT-AC), so they do not belong to this genome, or their strands are wrong; align reads of this "
            "species to this FASTA"
        )
    log.info("%s: %d of %d junctions left out: no splice sites", path, len(found) - len(kept), len(found))
    return kept
