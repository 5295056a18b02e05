"""Alternative isoforms of any predictions beside baselines, on the standing validation or test contigs.

Usage: python benchmarks/isoforms.py --data DATA --cache CACHE [--part validation] [--folders athaliana] [NAME=GFF3 ...]

DATA is the folder that accuracy_sets.py describes. NAME=GFF3 are predictions on its contigs; the first one is what all
others are compared with (the metrics `*_lead_*` of the table of all figures). Baselines that are always there: the
released model's first transcripts (`one isoform`), and with every NAGNAG acceptor and every short intron retained; the
released model's isoforms, by the lattice and ranked, with its own cut and down to a probability of 0.02; AUGUSTUS with
alternatives in three settings, from its own first transcripts; and completion, where the reference's longest CDS of
each gene is given. What knows the RNA-seq reads of the contigs stands apart. docs/isoforms.md explains the measures.

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
from isoform_baselines import EDITS, first_transcripts, with_edits
from isoform_model import OURS, RANKED, RANKED_ALL, Released
from isoform_page import GIVEN, WITH_READS, page_of

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.configuration.schema import fill_defaults, load_schema
from phytoscribe.evaluation.accuracy.counts import ALL
from phytoscribe.evaluation.accuracy.gene_tables import Scope
from phytoscribe.evaluation.isoforms.additions import longest_first
from phytoscribe.evaluation.isoforms.table import evaluate_isoforms
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
ONE = "one isoform"


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
    predictions |= baselines(setting, given.model, given.cache, given.augustus, JunctionReads(junctions, "RNA-seq"))
    reads = reads_of(given.data / READS[given.part], species, given.cache)
    table = evaluate_isoforms(predictions, scope, reads, junctions)
    transcripts = score_table(row for name, genes in predictions.items() for row in whole_rows(name, genes, scope))
    table = pd.concat([table, transcripts], ignore_index=True)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_open(f"{given.output}.tsv") as handle:
        table.to_csv(handle, sep="\t", index=False, columns=list(SCORES), float_format="%.6f", lineterminator="\n")
    page = page_of(table, given.part, list(species.contigs), len(setting.given))
    with atomic_open(f"{given.output}.md") as handle:
        handle.write(page)
    print(page)


def baselines(
    setting: Setting, model: str | None, cache: Path, augustus: bool, junctions: JunctionReads
) -> dict[str, list[GeneModel]]:
    """Genes by name; what knows the reads of junctions comes last."""
    schema = load_schema(ROOT / "workflow/schemas/config.schema.yaml")
    released = Released(setting.species, model, cache, fill_defaults({"genomes": []}, schema)["predict"], junctions)
    ours = released.genes(None)
    found = {ONE: first_transcripts(ours)}
    if released.has_ranker:
        found |= {name: released.genes(values) for name, values in OURS.items()}
        found |= {f"{GIVEN}: {name}": released.completed(setting.given, OURS[name]) for name in (RANKED, RANKED_ALL)}
    with Genome(setting.species.fasta) as genome:
        found |= {name: with_edits(ours, genome, edits) for name, edits in EDITS.items()}
        if augustus:
            runs, contigs = AugustusCache(cache), list(setting.species.contigs)
            for name, options in AUGUSTUS.items():
                log.info("%s", name)
                found[name] = runs.predict_genes(genome, contigs, SETS[0].augustus[0], options)[0]
        found[f"{GIVEN}: echo"] = setting.given
        found |= {f"{GIVEN}: {name}": with_edits(setting.given, genome, edits) for name, edits in EDITS.items()}
    if released.ranks_with_reads:
        for name in (RANKED, RANKED_ALL):
            found[f"{name}{WITH_READS}"] = released.genes(OURS[name], with_reads=True)
            found[f"{GIVEN}: {name}{WITH_READS}"] = released.completed(setting.given, OURS[name], with_reads=True)
    return found


def reads_of(fastq: Path, species: Species, cache: Path) -> ReadEvidence:
    """Iso-Seq reads, aligned to the contigs; kept in ``cache``."""
    bam = cache / f"{fastq.name.partition('.')[0]}_{species.fasta.parent.name}.bam"
    if not bam.is_file():
        align_reads(fastq, species.fasta, bam, bam.with_suffix(".bam.csi"), threads=1)
    return ReadEvidence(ReadFilter(bam, set(species.contigs)))


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
    parser.add_argument("--no-augustus", dest="augustus", action="store_false", help="leave AUGUSTUS out")
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
