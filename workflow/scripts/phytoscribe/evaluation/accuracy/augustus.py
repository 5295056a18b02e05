"""AUGUSTUS as baseline: run it ab initio on single contigs, and read its output as gene models.

AUGUSTUS: Stanke et al. 2008, Bioinformatics 24:637 (doi 10.1093/bioinformatics/btn013).
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from phytoscribe.annotation.model import GeneModel, Interval, Transcript, numbered, sort_genes
from phytoscribe.annotation.sequences import write_fasta
from phytoscribe.errors import GffError
from phytoscribe.files import open_text, scratch_folder
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.sequence import Bases, decode
from phytoscribe.programs import require, run, version_line

log = logging.getLogger(__name__)

#: No UTR model, and the whole sequence is searched: soft-masked bases are bases like any other.  The stop codon belongs
#: to the CDS, also with parameter sets whose own setting leaves it out.
OPTIONS = ("--UTR=off", "--softmasking=0", "--stopCodonExcludedFromCDS=false")
#: Contig and id.
_Name = tuple[str, str]
_TRANSCRIPT_ID = re.compile(r'transcript_id "([^"]+)"')


def predict_genes(genome: Genome, contigs: Sequence[str], species: str, processes: int) -> list[GeneModel]:
    """Predict genes on ``contigs``, numbered ``augustus_g000001`` ... in order of contig and position.

    One process per contig, the longest first, at most ``processes`` at a time; contigs are never cut, so the result
    does not depend on ``processes``.

    Raises:
        ToolError: augustus is missing or fails (for instance for an unknown ``species``).
    """
    longest_first = sorted(contigs, key=lambda name: -genome.contigs[name])

    def one(contig: str) -> list[GeneModel]:
        with scratch_folder("augustus-") as folder:
            run_augustus(contig, genome.bases(contig), species, folder / "genes.gff")
            return read_augustus(folder / "genes.gff")

    with ThreadPoolExecutor(max_workers=max(1, processes)) as pool:
        found = [gene for genes in pool.map(one, longest_first) for gene in genes]
    log.info("AUGUSTUS (%s): %d genes on %d contigs", species, len(found), len(contigs))
    return list(numbered(sort_genes(found, genome.contigs), "augustus"))


def run_augustus(contig: str, bases: Bases, species: str, output: Path, options: Sequence[str] = ()) -> None:
    """Run AUGUSTUS on one contig, given as base codes uint8 (length,), and write its own output.

    ``options`` come after :data:`OPTIONS`, for instance those that ask for alternative transcripts.

    Raises:
        ToolError: augustus is missing or fails.
    """
    program = require("augustus", "the AUGUSTUS baseline")
    with scratch_folder("augustus-") as folder:
        with (folder / "contig.fa").open("w", encoding="utf-8") as handle:
            write_fasta(handle, [(contig, decode(bases))])
        run([program, f"--species={species}", *OPTIONS, *options, folder / "contig.fa"], stdout=output)


def version() -> str:
    """AUGUSTUS's own version line."""
    return version_line(require("augustus", "the AUGUSTUS baseline"), "--version")


@dataclass
class _Lines:
    strand: str
    cds: list[tuple[int, int, int]] = field(default_factory=list)
    exons: list[Interval] = field(default_factory=list)


def read_augustus(path: str | Path) -> list[GeneModel]:
    """Gene models of an AUGUSTUS output file (its own GFF; gzip works), in the order of the file.

    CDS lines include the stop codon, as AUGUSTUS writes them by default.  Genes cut by a contig end keep the phase of
    their first CDS segment.  The score is AUGUSTUS's posterior probability, if given.

    Ids are AUGUSTUS's own, g1, g2, ..., and restart in each run: in a file joined from several runs they are unique
    only within a contig.

    Raises:
        GffError: a line does not have nine columns, a CDS line names no transcript, or two genes of a contig share an
            id.
    """
    transcripts: dict[_Name, _Lines] = {}
    scores: dict[_Name, float] = {}
    begun: dict[_Name, int] = {}
    with open_text(path) as handle:
        for number, line in enumerate(handle, start=1):
            if line.startswith("#") or not line.strip():
                continue
            columns = line.rstrip("\n").split("\t")
            if len(columns) != 9:
                raise GffError(f"{path}, line {number}: {len(columns)} columns instead of 9; is this AUGUSTUS output?")
            if columns[2] in ("gene", "transcript"):
                name = columns[0], columns[8]
                if name in begun:
                    raise GffError(
                        f"{path}, line {number}: {columns[2]} {columns[8]} of contig {columns[0]} began in line "
                        f"{begun[name]} already; join the outputs of several runs with AUGUSTUS's join_aug_pred.pl"
                    )
                begun[name] = number
                if columns[5] != ".":
                    scores[name] = float(columns[5])
            elif columns[2] in ("CDS", "exon"):
                _add_part(columns, transcripts, f"{path}, line {number}")
    by_gene: dict[_Name, list[_Name]] = defaultdict(list)
    for contig, name in transcripts:
        by_gene[contig, name.rpartition(".")[0] or name].append((contig, name))
    return [_gene(name, members, transcripts, scores) for name, members in by_gene.items()]


def _add_part(columns: Sequence[str], transcripts: dict[_Name, _Lines], where: str) -> None:
    matched = _TRANSCRIPT_ID.search(columns[8])
    if matched is None:
        raise GffError(f"{where}: a {columns[2]} line without transcript_id; is this AUGUSTUS output?")
    lines = transcripts.setdefault((columns[0], matched.group(1)), _Lines(columns[6]))
    start, end = int(columns[3]) - 1, int(columns[4])
    if columns[2] == "CDS":
        lines.cds.append((start, end, int(columns[7])))
    else:
        lines.exons.append((start, end))


def _gene(
    name: _Name, members: Sequence[_Name], transcripts: dict[_Name, _Lines], scores: dict[_Name, float]
) -> GeneModel:
    strand, models = transcripts[members[0]].strand, []
    for member in members:
        cds = sorted(transcripts[member].cds)
        segments = tuple((start, end) for start, end, _ in cds)
        phase = cds[0 if strand == "+" else -1][2] if cds else 0
        exons = tuple(sorted(transcripts[member].exons)) or segments
        models.append(Transcript(member[1], exons, segments, score=scores.get(member), start_phase=phase))
    return GeneModel(name[1], name[0], strand, tuple(models), source="AUGUSTUS", score=scores.get(name))
