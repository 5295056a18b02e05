"""Alternative isoforms of any predictions beside baselines, on the standing validation or test contigs.

Usage: python benchmarks/isoforms.py --data DATA --cache CACHE [--part validation] [--folders athaliana] [NAME=GFF3 ...]

DATA is the folder that accuracy_sets.py describes. NAME=GFF3 are predictions on its contigs; the first one, or without
any the released model's ranked isoforms, is what all others are compared with on the same draws of loci (`*_lead_*`).
Always there are: the released model's isoforms, ranked and by the lattice, with its own cut and down to a probability
of 0.02; its first transcripts alone (`one isoform`), with every NAGNAG acceptor, with every short intron retained, and
with single events by the odds of their sites alone; AUGUSTUS with alternatives in three settings, from its own first
transcripts; and completion, where the reference's longest CDS of each gene is given. What knows the RNA-seq reads of
the contigs stands apart. docs/isoforms.md explains the measures.

AUGUSTUS takes some minutes for a megabase and setting: its output is kept in CACHE, as are the released model's genes
and the aligned reads. Written are OUTPUT.md and OUTPUT.tsv, which has every figure.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import pandas as pd
import torch
from accuracy_models import ROOT
from accuracy_sets import HELD_OUT, SETS, TEST, VALIDATION, Species, read_species
from augustus_cache import AugustusCache
from isoform_baselines import EDITS, with_edits
from isoform_model import OURS, RANKED, RANKED_ALL, WRITTEN, Released
from isoform_page import GIVEN, WITH_READS, page_of
from isoform_site_odds import strongest, with_site_odds

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, first_transcripts
from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.evaluation.accuracy.counts import ALL
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.evaluation.isoforms.additions import longest_first
from phytoscribe.evaluation.isoforms.table import REFERENCE, evaluate_isoforms
from phytoscribe.evaluation.long_reads.alignments import ReadFilter, align_reads
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence
from phytoscribe.files import atomic_open
from phytoscribe.genome.fasta import Genome
from phytoscribe.genome.junctions import JunctionReads, read_junctions
from phytoscribe.tables import SCORES, ScoreRow, score_table

log = logging.getLogger("isoforms")
_SAMPLING = "--alternatives-from-sampling=true"
_KEPT = ("--minexonintronprob=0.2", "--minmeanexonintronprob=0.5")
#: Settings of AUGUSTUS by name: that of its web server for few alternatives, that of UCSC's tracks, and its default.
AUGUSTUS = {
    "AUGUSTUS, no alternatives": (),
    "AUGUSTUS, few": (_SAMPLING, *_KEPT, "--maxtracks=2"),
    "AUGUSTUS, as UCSC": (_SAMPLING, *_KEPT, "--maxtracks=3", "--temperature=2"),
    "AUGUSTUS, default sampling": (_SAMPLING,),
}
#: Iso-Seq reads of a contig of each part.
READS = {VALIDATION: "athaliana/isoseq_chr3.fastq.gz", TEST: "athaliana/isoseq_chr5tail.fastq.gz"}
ONE, BY_ODDS = "one isoform", "by site odds"


@dataclass(frozen=True)
class Setting:
    """What is scored, and what against.

    Attributes:
        given: the reference's longest CDS of each gene, as genes.
    """

    species: Species
    scope: Scope
    given: list[GeneModel]


def main() -> None:
    given = arguments()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    log.setLevel(logging.INFO)
    torch.set_num_threads(1)
    chosen = {folder: list(HELD_OUT[folder][given.part]) for folder in given.folders}
    species = read_species(given.data, chosen, given.cache)
    scope = species.scope(list(species.contigs), None)
    reference = [longest_first(gene) for gene in scope.scored(()).reference]
    setting = Setting(species, scope, first_transcripts(reference))
    predictions = {name: read_gff3(path, species.contigs) for name, path in given.predictions.items()}
    junctions = {}
    for folder in chosen:
        file = given.data / folder / "rnaseq_splice_junctions.gff3.gz"
        junctions |= read_junctions(file) if file.is_file() else {}
    known = JunctionReads(junctions, "RNA-seq")
    predictions |= baselines(setting, given.model, given.cache, given.augustus, given.short, known)
    bam = aligned(given.data / READS[given.part], species, given.cache)
    reads = ReadEvidence(ReadFilter(bam, set(species.contigs)))
    prompted = {name: genes for name, genes in predictions.items() if name.startswith(f"{GIVEN}: ")}
    free = {name: genes for name, genes in predictions.items() if name not in prompted}
    # Each is compared with the first of its kind.
    table, completion = (evaluate_isoforms(genes, scope, reads, junctions) for genes in (free, prompted))
    transcripts = score_table(row for name, genes in predictions.items() for row in whole_rows(name, genes, scope))
    table = pd.concat([table, completion[completion["predictor"] != REFERENCE], transcripts], ignore_index=True)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_open(f"{given.output}.tsv") as handle:
        table.to_csv(handle, sep="\t", index=False, columns=list(SCORES), float_format="%.6f", lineterminator="\n")
    page = page_of(table, given.part, list(species.contigs), len(setting.given))
    with atomic_open(f"{given.output}.md") as handle:
        handle.write(page)
    print(page)


def baselines(
    setting: Setting, model: str | None, cache: Path, augustus: Sequence[str], short: bool, junctions: JunctionReads
) -> dict[str, list[GeneModel]]:
    """Genes by name: what is compared with first, what knows the reads of junctions last."""
    schema = load_schema(ROOT / "workflow/schemas/config.schema.yaml")
    released = Released(setting.species, model, cache, fill_defaults({"genomes": []}, schema)["predict"], junctions)
    contigs, found = list(setting.species.contigs), {}
    if released.has_ranker:
        found = {name: released.genes(values) for name, values in OURS.items() if not short or name == RANKED}
        given = () if short else (RANKED, RANKED_ALL)
        found |= {f"{GIVEN}: {name}": released.completed(setting.given, OURS[name]) for name in given}
    if released.has_writer and not short:
        found |= {name: released.genes(values) for name, values in WRITTEN.items()}
        found |= {f"{GIVEN}: {name}": released.completed(setting.given, values) for name, values in WRITTEN.items()}
    # Isoforms do not change the first transcripts.
    ours = first_transcripts(found[RANKED] if found else released.genes(None))
    with Genome(setting.species.fasta) as genome:
        log.info("single events by the odds of their sites")
        by_odds = with_site_odds((ours, setting.given), genome, contigs, released.predictor)
        for prefix, genes in zip(("", f"{GIVEN}: "), by_odds):
            if ranked := found.get(f"{prefix}{RANKED}"):
                written = sum(len(gene.transcripts) - 1 for gene in ranked)
                found[f"{prefix}{BY_ODDS}, as many as ranked"] = strongest(genes, written)
            found[f"{prefix}{BY_ODDS}, all"] = genes
        found[ONE] = ours
        found |= {name: with_edits(ours, genome, edits) for name, edits in EDITS.items()}
        for name in augustus:
            log.info("%s", name)
            found[name] = AugustusCache(cache).predict_genes(genome, contigs, SETS[0].augustus[0], AUGUSTUS[name])[0]
        found[f"{GIVEN}: echo"] = setting.given
        found |= {f"{GIVEN}: {name}": with_edits(setting.given, genome, edits) for name, edits in EDITS.items()}
    if released.ranks_with_reads and not short:
        for name in (RANKED, RANKED_ALL):
            found[f"{name}{WITH_READS}"] = released.genes(OURS[name], with_reads=True)
            found[f"{GIVEN}: {name}{WITH_READS}"] = released.completed(setting.given, OURS[name], with_reads=True)
    return found


def aligned(fastq: Path, species: Species, cache: Path) -> Path:
    """Long reads, aligned to the contigs; kept in ``cache``."""
    bam = cache / f"{fastq.name.partition('.')[0]}_{species.fasta.parent.name}.bam"
    if not bam.is_file():
        align_reads(fastq, species.fasta, bam, bam.with_suffix(".bam.csi"), threads=1)
    return bam


def whole_rows(name: str, genes: Sequence[GeneModel], scope: Scope) -> list[ScoreRow]:
    """Transcripts and loci with all isoforms (``exact``), and with the first one alone (``first_transcript``)."""
    rows = []
    for ruler, counted in (("exact", genes), ("first_transcript", first_transcripts(genes))):
        scored = scope.scored(counted)
        choice = scored.choices({})[ALL]
        for level in ("transcript", "locus"):
            rows += [(name, *row) for row in scored.comparison.agreement(level, choice).rows(level, ruler, ALL)]
    return rows


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("predictions", nargs="*", metavar="NAME=GFF3", help="predictions on the scored contigs")
    parser.add_argument("--data", type=Path, required=True, help="the shared data")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what is kept between runs")
    parser.add_argument("--part", choices=(VALIDATION, TEST), default=VALIDATION)
    parser.add_argument(
        "--folders",
        nargs="+",
        choices=("athaliana", "athaliana_chr5"),
        default=["athaliana"],
        help="athaliana: the small contigs; athaliana_chr5: the long one as well",
    )
    parser.add_argument("--model", help="model folder of the first transcripts; by default the released one")
    parser.add_argument("--augustus", nargs="*", default=list(AUGUSTUS), choices=AUGUSTUS, help="settings that are run")
    parser.add_argument("--short", action="store_true", help="of the model's isoforms those with its own cut alone")
    parser.add_argument("--output", type=Path, help="files to write, without the ending")
    given = parser.parse_args()
    named = [text.partition("=") for text in given.predictions]
    for text, (name, _, path) in zip(given.predictions, named):
        if not name or not path or not Path(path).is_file():
            parser.error(f"{text}: give NAME=GFF3, a name and a file that exists")
    given.predictions = {name: Path(path) for name, _, path in named}
    if len(given.predictions) < len(named):
        parser.error("two predictions have the same name")
    given.output = given.output or ROOT / f"results/isoforms_{given.part}"
    return given


if __name__ == "__main__":
    main()
