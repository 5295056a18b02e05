"""Iso-Seq scores of the reference, of AUGUSTUS and of PhytoScribe side by side, and why the reference is not best.

Usage: python benchmarks/isoseq_scores.py [--results results] [--genome athaliana] [--repeat 100]

Run after `snakemake all`.  Prints the tables of benchmarks/isoseq.md as Markdown: scores by minimap2 and by BLAST, how
far the two agree, every line in which the reference does not have the highest share, and the counts that explain them.
With ``--repeat`` the reads are also read so many times over, for time and memory with millions of reads.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterable
from itertools import chain, repeat
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from phytoscribe.annotation.gff_reader import read_gff3  # noqa: E402
from phytoscribe.annotation.model import GeneModel  # noqa: E402
from phytoscribe.evaluation.long_reads.alignments import ReadFilter  # noqa: E402
from phytoscribe.evaluation.long_reads.evidence import ReadEvidence  # noqa: E402
from phytoscribe.evaluation.long_reads.transcript_classes import BLAST_TIER, SUPPORTED  # noqa: E402
from phytoscribe.tables import AGREEMENT, SCORES, TRANSCRIPTS, read_table  # noqa: E402

PREDICTORS = ("reference", "augustus", "phytoscribe")
KEY = ["level", "ruler", "subset", "metric"]
#: Shares that are higher for a better prediction; a share of transcripts in another class is neither good nor bad.
GOOD = r"equal|supported|precision|recall|read_supported|explained|hit|identity.*|reciprocal.*"

BLAST_COLUMNS = dict.fromkeys(
    (f"blast_{part}{suffix}" for part in ("identity", "coverage") for suffix in ("", "_transcript")), float
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"))
    parser.add_argument("--genome", default="athaliana")
    parser.add_argument("--repeat", type=int, default=0)
    given = parser.parse_args()
    base = given.results / "evaluation" / given.genome
    for ruler in ("isoseq", "blast"):
        print(f"\n## {ruler}\n")
        scores = wide(read_table(f"{base}.{ruler}.tsv", SCORES))
        print(as_markdown(scores))
        good = scores[scores["metric"].str.fullmatch(GOOD)]
        behind = good[good["reference"] < good[list(PREDICTORS)].max(axis=1) - 1e-9]
        print(f"\nOf {len(good)} lines the reference is not best in {len(behind)}:\n\n{as_markdown(behind)}")
    agreement = read_table(f"{base}.isoseq_agreement.tsv", {**AGREEMENT, "agreement": float, "kappa": float})
    print(f"\n## agreement\n\n{markdown(agreement)}\n\n## why\n")
    transcripts = read_table(f"{base}.isoseq_transcripts.tsv", {**TRANSCRIPTS, **BLAST_COLUMNS})
    bam = given.results / "evaluation" / "isoseq" / f"{given.genome}.bam"
    usable = ReadFilter(bam, set(transcripts["contig"]))
    reads = ReadEvidence(usable)
    reference = read_gff3(given.results / "clean" / f"{given.genome}.accepted.gff3")
    explain_chains(transcripts[transcripts["predictor"] == "reference"])
    explain_introns([gene for gene in reference if gene.contig in reads.contigs], reads)
    for predictor in PREDICTORS:
        explain_blast(predictor, transcripts[transcripts["predictor"] == predictor])
    if given.repeat:
        begin = time.perf_counter()
        many = ReadEvidence(chain.from_iterable(repeat(usable, given.repeat)))
        seconds, peak = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\n{many.reads} used reads of {given.repeat * usable.counts.total()}: {seconds:.0f} s, {peak:.0f} MiB")


def wide(scores: pd.DataFrame) -> pd.DataFrame:
    """One row for each line of the table, with the value of every predictor and its n as ``<predictor> n``."""
    value = scores.pivot(index=KEY, columns="predictor", values="value")
    counts = scores.pivot(index=KEY, columns="predictor", values="n").add_suffix(" n")
    order = pd.MultiIndex.from_frame(scores[KEY].drop_duplicates())
    return value.join(counts).reindex(order).reset_index()


def as_markdown(scores: pd.DataFrame) -> str:
    """Shares with their denominators behind them."""
    shown = scores[KEY].copy()
    for name in PREDICTORS:
        shown[name] = [f"{value:.3f} of {n}" for value, n in zip(scores[name], scores[f"{name} n"])]
    return markdown(shown)


def markdown(table: pd.DataFrame) -> str:
    def line(cells: Iterable) -> str:
        return "| " + " | ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells) + " |"

    return "\n".join(
        [line(table.columns), "|" + "---|" * len(table.columns), *map(line, table.itertuples(index=False))]
    )


def explain_chains(reference: pd.DataFrame) -> None:
    """Reference transcripts that no read supports: rare isoforms of supported genes, or genes?"""
    spliced = reference[(reference["cds_introns"] > 0) & (reference["reads"] > 0)]
    supported = spliced["class"].isin([str(kind) for kind in SUPPORTED])
    of_gene = supported.groupby(spliced["gene"]).transform("any")
    print(
        f"Reference transcripts with CDS introns and reads: {len(spliced)}, of them {int((~supported).sum())} without "
        f"support; {int((~supported & of_gene).sum())} of these are isoforms of genes that have a supported one. "
        f"Genes without support: {', '.join(sorted(set(spliced['gene'][~of_gene])))}."
    )


def explain_introns(genes: list[GeneModel], reads: ReadEvidence) -> None:
    """Reference introns that reads reach over and do not have: alternatives of introns that reads have?"""
    introns = {(g.contig, g.strand, intron) for g in genes for t in g.coding_transcripts for intron in t.cds_introns}
    wrong = [key for key in introns if reads.spans(*key) and key not in reads.introns]
    alternative = sum(
        any(
            key[:2] == other[:2] and key[2][0] < other[2][1] and other[2][0] < key[2][1]
            for other in introns.intersection(reads.introns)
        )
        for key in wrong
    )
    retained = sum(reads.count_over(*key) > 0 for key in wrong)
    print(
        f"Reference CDS introns that reads reach over but do not have: {len(wrong)}; {alternative} of them overlap an "
        f"annotated intron that reads have, and a read runs through {retained}."
    )


def explain_blast(predictor: str, transcripts: pd.DataFrame) -> None:
    """What BLAST asks of whole transcripts more than of coding sequences, and where it and minimap2 differ."""
    own = transcripts[transcripts["reads"] > 0]
    identity, coverage = BLAST_TIER
    cds = (own["blast_identity"] >= identity) & (own["blast_coverage"] >= coverage)
    whole = (own["blast_identity_transcript"] >= identity) & (own["blast_coverage_transcript"] >= coverage)
    genes = pd.DataFrame({"gene": own["gene"], "cds": cds, "whole": whole}).groupby("gene").any()
    chain_in_read = own["cds_chain_in_read"] == "yes"
    only = {
        "BLAST": own[cds & ~chain_in_read]["class"].value_counts().to_dict(),
        "minimap2": own[~cds & chain_in_read]["class"].value_counts().to_dict(),
    }
    print(
        f"{predictor}: {len(genes)} genes with reads, {int(genes['cds'].sum())} with a CDS at {BLAST_TIER}, "
        f"{int(genes['whole'].sum())} with a whole transcript; supported by one alone: {only}"
    )


if __name__ == "__main__":
    main()
