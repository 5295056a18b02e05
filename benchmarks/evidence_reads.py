"""RNA-seq and Iso-Seq reads for evidence.py: junctions as they are, fewer of them, and wrong ones.

Wrong junctions are some that are moved to another place that looks like an intron, counts shuffled among junctions, and
those of another contig. How many well supported introns agree with the network is what rule judge_evidence looks at.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from accuracy_sets import LONG_CONTIG, TEST, VALIDATION, Species
from evidence_sets import DNA, ENTRY, Junctions, Setting, Weights, log, on_contig, row_of

from phytoscribe.decoding.contigs import decode_contig
from phytoscribe.decoding.evidence_weights import EvidenceWeights
from phytoscribe.decoding.intron_evidence import ContigEvidence, ContigJunctions
from phytoscribe.evaluation.long_reads.alignments import align_reads
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.junction_table import GATHERED
from phytoscribe.genome.junctions import Junction, read_junctions
from phytoscribe.genome.spliced_reads import strand_by_motif
from phytoscribe.models import EVIDENCE_FILE
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.gathered_evidence import long_read_junctions
from phytoscribe.prediction.judged_evidence import agreement
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.training.tasks.structure.evidence_fit import RegionWithJunctions, fit_evidence, misplaced

#: Iso-Seq reads, and the one contig that they lie on.
READS = {
    VALIDATION: ("athaliana/isoseq_chr3.fastq.gz", "Chr3_1065466_1464870"),
    TEST: ("athaliana/isoseq_chr5tail.fastq.gz", "Chr5_25975502_26975502"),
}
SEED = 1
#: Shares of junctions that are moved to other places. Validation contigs have the other wrong ones, too.
REPLACED = {VALIDATION: (0.1, 0.2, 0.3), TEST: (0.3,)}
RNASEQ = "RNA-seq junctions"


def junctions_of(data: Path, genome: Genome) -> dict[Junction, int]:
    """RNA-seq reads by junction with the ends of an intron, of all folders, on the contigs of a genome."""
    found: dict[Junction, int] = {}
    for folder in ENTRY.folders:
        everywhere = read_junctions(data / folder / "rnaseq_splice_junctions.gff3.gz")
        found |= {key: reads for key, reads in everywhere.items() if key[0] in genome.contigs}
    return canonical(found, genome)


def canonical(junctions: Junctions, genome: Genome) -> dict[Junction, int]:
    strand_by = strand_by_motif(genome)
    return {key: reads for key, reads in junctions.items() if reads and strand_by(key[0], key[2]) == key[1]}


def fit_reads(setting: Setting, junctions: Junctions, folder: Path) -> None:
    """Fit the weights of reads to the contigs of a set, and write them into a model's folder."""
    average = float(np.mean(list(junctions.values())))
    given = [
        RegionWithJunctions(region, ContigJunctions(on_contig(junctions, contig), average), setting.decoder)
        for contig, region in setting.regions()
    ]
    weights, report = fit_evidence(given, SEED)
    weights = replace(weights, calibrated_on=(setting.entry.species,))
    weights.save(folder / EVIDENCE_FILE, model_hash(folder), report)
    log.info("weights of reads: %s", weights)


def variants(junctions: Junctions) -> dict[str, Junctions]:
    """None, junctions as they are, and those of shallower libraries."""
    generator = np.random.default_rng(SEED)
    counts = np.array(list(junctions.values()), dtype=np.int64)
    thinned = {share: generator.binomial(counts, share).tolist() for share in (0.01, 0.001)}
    return {
        DNA: {},
        RNASEQ: junctions,
        "a hundredth of the reads": dict(zip(junctions, thinned[0.01], strict=True)),
        "a thousandth of the reads": dict(zip(junctions, thinned[0.001], strict=True)),
    }


def false_ones(junctions: Junctions, genome: Genome, part: str) -> dict[str, Junctions]:
    """Junctions that are wrong."""
    moved = {
        f"{100 * share:.0f} % of junctions replaced": replaced(junctions, genome, share) for share in REPLACED[part]
    }
    if part == TEST:
        return moved
    shuffled = np.random.default_rng(SEED).permutation(list(junctions.values())).tolist()
    return moved | {
        "counts shuffled": dict(zip(junctions, shuffled, strict=True)),
        "of another contig, with ends of introns": canonical(elsewhere(junctions, genome.contigs), genome),
    }


def replaced(junctions: Junctions, genome: Genome, share: float) -> dict[Junction, int]:
    """A share of the junctions moved to another place of their contig with the ends of an intron, as far apart."""
    generator, found = np.random.default_rng(SEED), Counter[Junction]()
    for contig in genome.contigs:
        moved = misplaced(list(on_contig(junctions, contig)), genome.bases(contig), share, generator)
        for strand, intron, reads in moved:
            found[contig, strand, intron] += reads
    return dict(found)


def elsewhere(junctions: Junctions, contigs: Mapping[str, int]) -> dict[Junction, int]:
    """The junctions of the next contig, as if they were of this one."""
    names = list(contigs)
    after = dict(zip(names, [*names[1:], names[0]], strict=True))
    moved = {(after[contig], strand, place): reads for (contig, strand, place), reads in junctions.items()}
    return {key: reads for key, reads in moved.items() if key[2][1] < contigs[key[0]]}


def agreements(compared: Mapping[str, Junctions], genome: Genome, network: StructurePredictor) -> dict[str, str]:
    """How many well supported introns of each variant agree with the network, and of how many."""
    names = [name for name, found in compared.items() if found]
    rows = [
        (contig, strand, start, end, reads, name)
        for name in names
        for (contig, strand, (start, end)), reads in compared[name].items()
        if reads
    ]
    table = pd.DataFrame(rows, columns=GATHERED)
    return {name: f"{found.share:.2f} of {found.judged}" for name, found in agreement(table, genome, network).items()}


def rows_with_long_reads(
    data: Path, setting: Setting, junctions: Junctions, weights: Weights, part: str, cache: Path
) -> list[list[str]]:
    """Rows of the one contig that has Iso-Seq reads."""
    fastq, contig = READS[part]
    with Genome(setting.species.fasta) as genome:
        long_reads = canonical(isoseq_of(data / fastq, setting.species, cache), genome)
    own = replace(setting, scope=setting.species.scope([contig], None), tables={contig: setting.tables[contig]})
    here = {key: count for key, count in junctions.items() if key[0] == contig}
    both = Counter(here)
    both.update(long_reads)
    compared = {DNA: {}, RNASEQ: here, "Iso-Seq": long_reads, "RNA-seq and Iso-Seq": both}
    return [row_of(name, found, own, weights) for name, found in compared.items()]


def isoseq_of(fastq: Path, species: Species, cache: Path) -> Counter[Junction]:
    """Junctions of Iso-Seq reads, aligned to the contigs; the alignment is kept in ``cache``."""
    bam = cache / f"{fastq.name.partition('.')[0]}_{species.fasta.parent.name}.bam"
    if not bam.is_file():
        align_reads(fastq, species.fasta, bam, bam.with_suffix(".bam.csi"), threads=1)
    return long_read_junctions(bam, species.contigs)


def times(setting: Setting, junctions: Junctions, weights: EvidenceWeights, part: str) -> str:
    """Processor seconds for decoding one long contig, without and with junctions, in a sentence."""
    contig, seconds = LONG_CONTIG[part], []
    evidence = ContigEvidence.of(ContigJunctions(on_contig(junctions, contig)), weights)
    for given in (None, evidence):
        begun = time.process_time()
        decode_contig(contig, *setting.tables[contig], setting.decoder, evidence=given)
        seconds.append(time.process_time() - begun)
    without, found = seconds
    return (
        f"Processor seconds to decode {contig} from the network's output: {without:.2f} from DNA alone, "
        f"{found:.2f} with junctions ({100 * (found / without - 1):+.0f} %)."
    )
