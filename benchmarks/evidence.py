"""Prediction from DNA alone beside prediction with RNA-seq junctions, long reads and proteins, on the standing contigs.

Usage: python benchmarks/evidence.py DATA --cache CACHE [--part validation] [--proteins GFF3] [--fit]
       python benchmarks/evidence.py DATA --cache CACHE --set rcommunis --proteins GFF3

DATA is the folder that accuracy_sets.py describes. With --fit the weights are fitted to the validation contigs (those
of proteins to all but the longest) and written into the model's folder; test contigs never choose them. CACHE keeps the
network's output. Every row of the page is decoded from the same output; times are of decoding one long contig. GFF3 is
miniprot's, of proteins of another species that are aligned to the FASTA which lies in CACHE; sets without reads have
rows for proteins alone.

Besides junctions as they are: a share of their reads, as of a shallower library; and junctions that are wrong: some
moved to another place that looks like an intron, counts shuffled among junctions, and those of another contig. Beside
each stands how many of its well supported introns agree with the network, by which rule judge_evidence refuses files.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np
import pandas as pd
import torch
from accuracy_models import ROOT, Model, released_model
from accuracy_sets import LONG_CONTIG, SETS, TEST, VALIDATION, ScoredSet, Species, read_set

from phytoscribe.annotation.model import GeneModel
from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.decoding.contigs import decode_contig
from phytoscribe.decoding.evidence_weights import EvidenceWeights, calibrate_for
from phytoscribe.decoding.gene_regions import DecodedRegion
from phytoscribe.decoding.intron_evidence import ContigEvidence, ContigJunctions
from phytoscribe.decoding.protein_evidence import ContigProteins, ProteinWeights
from phytoscribe.decoding.settings import Decoders, DecoderSettings
from phytoscribe.evaluation.accuracy.calibration import equal_width_bins, expected_calibration_error
from phytoscribe.evaluation.accuracy.counts import ALL
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.evaluation.long_reads.alignments import align_reads
from phytoscribe.files import atomic_open, atomic_path
from phytoscribe.genome.aligned_proteins import AlignedProtein, read_miniprot
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.junction_table import GATHERED
from phytoscribe.genome.junctions import Junction, read_junctions
from phytoscribe.genome.spliced_reads import strand_by_motif
from phytoscribe.models import EVIDENCE_FILE, PROTEIN_EVIDENCE_FILE
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction.gathered_evidence import long_read_junctions
from phytoscribe.prediction.gathered_proteins import LEAST_QUALITY
from phytoscribe.prediction.judged_evidence import agreement
from phytoscribe.prediction.predictor import StructurePredictor
from phytoscribe.prediction.weighed_evidence import proteins_by_contig
from phytoscribe.training.tasks.structure.evidence_fit import (
    RegionWithJunctions,
    fit_evidence,
    fit_protein_evidence,
    misplaced,
)

log = logging.getLogger("evidence")
ENTRY = SETS[0]
#: Iso-Seq reads, and the one contig that they lie on.
READS = {
    VALIDATION: ("athaliana/isoseq_chr3.fastq.gz", "Chr3_1065466_1464870"),
    TEST: ("athaliana/isoseq_chr5tail.fastq.gz", "Chr5_25975502_26975502"),
}
SEED = 1
#: Of the validation contigs the one with 568 of 920 loci: the weights of proteins have not been fitted to it.
NOT_FITTED = "Chr5_16999951_19500000"
#: Shares of junctions that are moved to other places.
REPLACED = (0.1, 0.2, 0.3)
DNA, RNASEQ, PROTEINS = "DNA alone", "RNA-seq junctions", "proteins"
Junctions = Mapping[Junction, int]
Tables = Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Setting:
    """What is scored, and what the network says of it.

    Attributes:
        tables: bases and log probabilities of both strands by contig.
    """

    species: Species
    scope: Scope
    tables: Tables
    decoder: DecoderSettings


class Weights(NamedTuple):
    reads: EvidenceWeights
    proteins: ProteinWeights


def main() -> None:
    given = arguments()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    log.setLevel(logging.INFO)
    torch.set_num_threads(1)
    folder = Path(given.model) if given.model else released_model()
    entry = next(entry for entry in SETS if entry.name == given.set)
    setting = setting_of(given.data, entry, given.part, folder, given.cache)
    proteins = read_miniprot(given.proteins, setting.species.contigs) if given.proteins else []
    proteins = [protein for protein in proteins if protein.quality >= LEAST_QUALITY]
    if given.fit:
        fit(given.data, setting, proteins, folder)
    model = model_hash(folder)
    weights = Weights(
        EvidenceWeights.load(folder / EVIDENCE_FILE, model), ProteinWeights.load(folder / PROTEIN_EVIDENCE_FILE, model)
    )
    page = [f"## {given.part.capitalize()} contigs" if entry is ENTRY else f"## {entry.title}", ""]
    if entry is ENTRY:
        page += with_reads(given, setting, weights, proteins, network_of(folder, entry))
    else:
        rows = [row_of(DNA, {}, setting, weights), row_of(PROTEINS, {}, setting, weights, proteins)]
        page += table_of(rows)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_open(given.output) as handle:
        handle.write("\n".join(page))
    print("\n".join(page))


def with_reads(
    given: argparse.Namespace,
    setting: Setting,
    weights: Weights,
    proteins: Sequence[AlignedProtein],
    network: StructurePredictor,
) -> list[str]:
    """The tables of the set that has reads."""
    with Genome(setting.species.fasta) as genome:
        junctions = junctions_of(given.data, genome)
        compared = variants(junctions) | false_ones(junctions, genome)
        agreeing = agreements(compared, genome, network)
        long_reads = canonical(isoseq_of(given.data / READS[given.part][0], setting.species, given.cache), genome)
    rows = [[*row_of(name, found, setting, weights), agreeing.get(name, "")] for name, found in compared.items()]
    if proteins:
        rows.append([*row_of(PROTEINS, {}, setting, weights, proteins), ""])
        rows.append([*row_of(f"{RNASEQ} and {PROTEINS}", junctions, setting, weights, proteins), ""])
    contig = READS[given.part][1]
    own = replace(setting, scope=setting.species.scope([contig], None), tables={contig: setting.tables[contig]})
    here = {key: count for key, count in junctions.items() if key[0] == contig}
    both = Counter(here)
    both.update(long_reads)
    compared = {DNA: {}, RNASEQ: here, "Iso-Seq": long_reads, "RNA-seq and Iso-Seq": both}
    long_rows = [row_of(name, found, own, weights) for name, found in compared.items()]
    seconds = times(setting, junctions, weights, given.part)
    slower = seconds[RNASEQ] / seconds[DNA] - 1
    return [
        *table_of(rows, "introns that agree"),
        f"On {contig}, which has Iso-Seq reads:",
        "",
        *table_of(long_rows),
        f"Processor seconds to decode {LONG_CONTIG[given.part]} from the network's output: {seconds[DNA]:.2f} from DNA "
        f"alone, {seconds[RNASEQ]:.2f} with junctions ({100 * slower:+.0f} %).",
        "",
    ]


def fit(data: Path, setting: Setting, proteins: Sequence[AlignedProtein], folder: Path) -> None:
    """Fit the weights to the validation contigs, and write them into the model's folder."""
    with Genome(setting.species.fasta) as genome:
        junctions = junctions_of(data, genome)
    average, aligned = float(np.mean(list(junctions.values()))), dict(proteins_by_contig(proteins))
    by_reads, by_proteins = [], []
    for contig, (bases, plus, minus) in setting.tables.items():
        genes = [gene for gene in setting.scope.reference if gene.contig == contig]
        hidden = [(gene.start, gene.end) for gene in setting.scope.ignored if gene.contig == contig]
        mask = [*setting.species.mask.get(contig, ()), *hidden]
        region = DecodedRegion(bases, plus, minus, genes, mask, ENTRY.species, ENTRY.lineage)
        by_reads.append(RegionWithJunctions(region, ContigJunctions(on_contig(junctions, contig), average)))
        if contig != NOT_FITTED:
            by_proteins.append(RegionWithJunctions(region, aligned.get(contig, ContigProteins(()))))
    weights, report = fit_evidence(by_reads, setting.decoder, SEED)
    replace(weights, calibrated_on=(ENTRY.species,)).save(folder / EVIDENCE_FILE, model_hash(folder), report)
    log.info("weights of reads: %s", weights)
    if proteins:
        weights, report = fit_protein_evidence(by_proteins, setting.decoder)
        weights = replace(weights, calibrated_on=(ENTRY.species,))
        weights.save(folder / PROTEIN_EVIDENCE_FILE, model_hash(folder), report)
        log.info("weights of proteins: %s", weights)


def setting_of(data: Path, entry: ScoredSet, part: str, folder: Path, cache: Path) -> Setting:
    """The contigs of a part, with the network's output, which is kept in ``cache``."""
    species = read_set(data, entry, entry.scored_part(part), cache)
    predictor, tables = network_of(folder, entry), {}
    with Genome(species.fasta) as genome:
        for contig in species.contigs:
            bases, kept = genome.bases(contig), cache / f"{model_hash(folder)}.{contig}.npz"
            if not kept.is_file():
                plus, minus = predictor.log_probabilities(bases)
                with atomic_path(kept) as temporary, temporary.open("wb") as handle:
                    np.savez(handle, plus=plus, minus=minus)
            with np.load(kept) as stored:
                tables[contig] = bases, stored["plus"], stored["minus"]
    decoder = Decoders.load(folder / "decoder.json").of(entry.lineage, entry.species)
    return Setting(species, species.scope(list(species.contigs), None), tables, decoder)


def network_of(folder: Path, entry: ScoredSet) -> StructurePredictor:
    settings = fill_defaults({"genomes": []}, load_schema(ROOT / "workflow/schemas/config.schema.yaml"))["predict"]
    return Model("", folder, settings).predictor(entry)


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


def isoseq_of(fastq: Path, species: Species, cache: Path) -> Counter[Junction]:
    """Junctions of Iso-Seq reads, aligned to the contigs; the alignment is kept in ``cache``."""
    bam = cache / f"{fastq.name.partition('.')[0]}_{species.fasta.parent.name}.bam"
    if not bam.is_file():
        align_reads(fastq, species.fasta, bam, bam.with_suffix(".bam.csi"), threads=1)
    return long_read_junctions(bam, species.contigs)


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


def false_ones(junctions: Junctions, genome: Genome) -> dict[str, Junctions]:
    """Junctions that are wrong."""
    shuffled = np.random.default_rng(SEED).permutation(list(junctions.values())).tolist()
    return {
        **{f"{100 * share:.0f} % of junctions replaced": replaced(junctions, genome, share) for share in REPLACED},
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


def on_contig(junctions: Junctions, contig: str) -> Iterator[tuple[str, tuple[int, int], int]]:
    return ((strand, intron, reads) for (name, strand, intron), reads in junctions.items() if name == contig)


def row_of(
    name: str,
    junctions: Junctions,
    setting: Setting,
    weights: Weights,
    proteins: Sequence[AlignedProtein] = (),
) -> list[str]:
    """Exact figures of what is decoded with some junctions and proteins."""
    average = float(np.mean([reads for reads in junctions.values() if reads] or [1.0]))
    aligned = dict(proteins_by_contig(proteins))
    used = [each for each, there in zip(weights, (junctions, proteins), strict=True) if there]
    chosen = calibrate_for(used, setting.decoder)
    genes: list[GeneModel] = []
    for contig, (bases, plus, minus) in setting.tables.items():
        found = ContigJunctions(on_contig(junctions, contig), average)
        evidence = ContigEvidence.of(found, weights.reads, aligned.get(contig), weights.proteins)
        genes += decode_contig(contig, bases, plus, minus, chosen, evidence=evidence)
    scored = setting.scope.scored(genes)
    choice = scored.choices({})[ALL]
    locus, exon = (scored.comparison.agreement(level, choice) for level in ("locus", "cds_exon"))
    right = np.asarray(scored.comparison.right_predicted(choice))
    error = expected_calibration_error(equal_width_bins([gene.score for gene in scored.predicted], right))
    figures = (locus.precision, locus.recall, locus.f1, exon.precision, exon.recall, exon.f1, error)
    log.info("%s: %s", name, figures)
    return [name, *(f"{value:.3f}" for value in figures)]


def times(setting: Setting, junctions: Junctions, weights: Weights, part: str) -> dict[str, float]:
    """Processor seconds for decoding one long contig, without and with junctions."""
    contig, found = LONG_CONTIG[part], {}
    evidence = ContigEvidence.of(ContigJunctions(on_contig(junctions, contig)), weights.reads)
    for name, given in ((DNA, None), (RNASEQ, evidence)):
        begun = time.process_time()
        decode_contig(contig, *setting.tables[contig], setting.decoder, evidence=given)
        found[name] = time.process_time() - begun
    return found


def table_of(rows: Sequence[Sequence[str]], *more: str) -> list[str]:
    """Lines of a table; ``more``: names of columns behind those of :func:`row_of`."""
    names = ("", "locus P", "locus R", "locus F1", "exon P", "exon R", "exon F1", "ECE", *more)
    return [f"| {' | '.join(names)} |", len(names) * "|---" + "|", *(f"| {' | '.join(row)} |" for row in rows), ""]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the shared data")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what is kept between runs")
    names = tuple(entry.name for entry in SETS)
    parser.add_argument("--set", choices=names, default=ENTRY.name, help="what is predicted")
    parser.add_argument("--proteins", type=Path, help="miniprot's GFF3 of proteins aligned to the contigs")
    parser.add_argument("--part", choices=(VALIDATION, TEST), default=VALIDATION)
    parser.add_argument("--model", help="model folder; by default the released one")
    parser.add_argument("--fit", action="store_true", help="fit the weights to the validation contigs first")
    parser.add_argument("--output", type=Path, help="page to write; by default results/evidence_PART.md")
    given = parser.parse_args()
    if given.fit and (given.part != VALIDATION or given.set != ENTRY.name):
        parser.error("--fit: weights are fitted to the validation contigs of A. thaliana alone")
    given.output = given.output or ROOT / f"results/evidence_{given.set}_{given.part}.md"
    return given


if __name__ == "__main__":
    main()
