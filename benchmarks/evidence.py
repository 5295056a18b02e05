"""Prediction from DNA alone beside prediction with RNA-seq junctions, long reads and proteins, on the standing contigs.

Usage: python benchmarks/evidence.py DATA --cache CACHE [--part validation] --proteins SET=GFF3 ... [--fit] [--page MD]

DATA is the folder that accuracy_sets.py describes. SET is one of its sets: GFF3 is miniprot's, of proteins of another
species that are aligned to the FASTA which lies in CACHE. CACHE keeps the network's output. Every row is decoded from
the same output; times are of decoding one long contig. With --page the tables of that page are written anew. Reads are
those of *A. thaliana*, which is left out if only other sets are named.

With --fit the weights are fitted to validation contigs of *A. thaliana* and written into the model's folder; those of
proteins are calibrated on all sets that are named. Test contigs never choose them.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import torch
from accuracy_models import released_model
from accuracy_sets import SETS, TEST, VALIDATION
from evidence_page import put_tables, table_of
from evidence_proteins import PROTEINS, fit_proteins, proteins_of
from evidence_reads import (
    RNASEQ,
    agreements,
    false_ones,
    fit_reads,
    junctions_of,
    rows_with_long_reads,
    times,
    variants,
)
from evidence_sets import DNA, ENTRY, Junctions, Setting, Weights, log, network_of, row_of, setting_of

from phytoscribe.decoding.evidence_weights import EvidenceWeights
from phytoscribe.decoding.protein_evidence import ProteinWeights
from phytoscribe.genome.fasta import Genome
from phytoscribe.models import EVIDENCE_FILE, PROTEIN_EVIDENCE_FILE
from phytoscribe.models.loading import model_hash


def main() -> None:
    given = arguments()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    log.setLevel(logging.INFO)
    torch.set_num_threads(1)
    folder = Path(given.model) if given.model else released_model()
    proteins = dict(given.proteins)
    settings = {
        entry.name: setting_of(given.data, entry, given.part, folder, given.cache)
        for entry in SETS
        if entry.name in proteins or (entry is ENTRY and (given.fit or not proteins))
    }
    own = settings.get(ENTRY.name)
    junctions: Junctions = {}
    if own:
        with Genome(own.species.fasta) as genome:
            junctions = junctions_of(given.data, genome)
    if given.fit:
        fit_reads(settings[ENTRY.name], junctions, folder)
        if proteins:
            fit_proteins(settings, proteins, folder)
    model = model_hash(folder)
    weights = Weights(
        EvidenceWeights.load(folder / EVIDENCE_FILE, model), ProteinWeights.load(folder / PROTEIN_EVIDENCE_FILE, model)
    )
    tables = with_reads(given, own, junctions, proteins, weights, folder) if own else {}
    far = [row for name in settings if name != ENTRY.name for row in far_rows(settings[name], proteins[name], weights)]
    if far:
        tables[f"{given.part}, far relatives"] = table_of(far, "locus F1, 95 %")
    for name, lines in tables.items():
        print("\n".join([name, "", *lines, ""]))
    if given.page:
        put_tables(given.page, tables)


def with_reads(
    given: argparse.Namespace,
    setting: Setting,
    junctions: Junctions,
    gff3: Mapping[str, Path],
    weights: Weights,
    folder: Path,
) -> dict[str, list[str]]:
    """The tables of the set that has reads, by name."""
    with Genome(setting.species.fasta) as genome:
        compared = variants(junctions) | false_ones(junctions, genome, given.part)
        judged = given.part == VALIDATION
        agreeing = agreements(compared, genome, network_of(folder, ENTRY)) if judged else {}
    rows = [row_of(name, found, setting, weights) for name, found in compared.items()]
    if ENTRY.name in gff3:
        aligned = proteins_of(gff3[ENTRY.name], setting.species.contigs)
        rows.append(row_of(PROTEINS, {}, setting, weights, aligned))
        rows.append(row_of(f"{RNASEQ} and {PROTEINS}", junctions, setting, weights, aligned))
    if judged:
        rows = [[*row, agreeing.get(row[0], "")] for row in rows]
    print(times(setting, junctions, weights.reads, given.part))
    long_reads = rows_with_long_reads(given.data, setting, junctions, weights, given.part, given.cache)
    more = ["introns that agree"] if judged else []
    return {given.part: table_of(rows, *more), f"{given.part}, long reads": table_of(long_reads)}


def far_rows(setting: Setting, gff3: Path, weights: Weights) -> list[list[str]]:
    """Rows of a set without reads."""
    aligned = proteins_of(gff3, setting.species.contigs)
    title = setting.entry.title
    return [
        row_of(f"{title}, {DNA}", {}, setting, weights, interval=True),
        row_of(f"{title}, {PROTEINS}", {}, setting, weights, aligned, interval=True),
    ]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the shared data")
    parser.add_argument("--cache", type=Path, required=True, help="folder for what is kept between runs")
    parser.add_argument("--part", choices=(VALIDATION, TEST), default=VALIDATION)
    parser.add_argument("--proteins", type=aligned_to, nargs="+", default=[], metavar="SET=GFF3")
    parser.add_argument("--model", help="model folder; by default the released one")
    parser.add_argument("--fit", action="store_true", help="fit the weights to the validation contigs first")
    parser.add_argument("--page", type=Path, help="page whose tables are written anew")
    given = parser.parse_args()
    if given.fit and given.part != VALIDATION:
        parser.error("--fit: weights are fitted to validation contigs alone")
    return given


def aligned_to(text: str) -> tuple[str, Path]:
    """A set's name and its alignments from ``SET=GFF3``."""
    name, _, path = text.partition("=")
    if not path or name not in {entry.name for entry in SETS}:
        raise argparse.ArgumentTypeError(f"{text}: give a set and a file, such as {ENTRY.name}=aligned.gff3")
    return name, Path(path)


if __name__ == "__main__":
    main()
