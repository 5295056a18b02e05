"""Classes of predicted genes (predict.gene_classes: mark) against an annotation and mobile elements.

    python benchmarks/gene_classes.py elements AthaTAIR10_chr1.gff.gz --name NC_003070.9=Chr1_full > elements.bed
    python benchmarks/gene_classes.py score PREDICTION.gff3 ANNOTATION.gff3 ELEMENTS.bed [--contigs NAME ...]

`elements` takes the genes of mobile elements out of RefSeq's annotation of A. thaliana, where their biotype is
pseudogene (that of real pseudogenes is transcribed_pseudogene). `score` calls a predicted gene a coding gene,
element-like or neither as the training does, and prints what the class and simpler orders find. benchmarks/noncoding.md
shows both.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import numpy as np

from phytoscribe.annotation.gff_lines import read_rows
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.gff_text import read_attributes
from phytoscribe.annotation.model import GeneModel
from phytoscribe.decoding.gene_classes import ELEMENT, numbers_of
from phytoscribe.genome.intervals import as_places, merged, read_bed
from phytoscribe.training.tasks.gene_classes.fit import average_precision, class_of


def print_elements(annotation: Path, name: str) -> None:
    """BED of the genes of mobile elements."""
    given, _, wanted = name.partition("=")
    for row in read_rows(annotation, {given: 10**9}):
        values = read_attributes(row.attributes).values
        if row.type == "pseudogene" and values.get("gene_biotype") == "pseudogene":
            print(wanted, row.start, row.end, values["Name"], 0, row.strand, sep="\t")


def element_odds(gene: GeneModel) -> float:
    """Probability of the class element."""
    probability = float(gene.attributes["class_probability"])
    return probability if gene.attributes["gene_class"] == ELEMENT else 1 - probability


def print_scores(prediction: Path, annotation: Path, repeats: Path, contigs: list[str]) -> None:
    """A table for one prediction."""
    coding = defaultdict(list)
    for gene in read_gff3(annotation):
        coding[gene.contig, gene.strand] += [segment for t in gene.transcripts for segment in t.cds]
    annotated = {track: merged(as_places(segments)) for track, segments in coding.items()}
    elements = {contig: merged(as_places(places)) for contig, places in read_bed(repeats).items()}
    genes = [gene for gene in read_gff3(prediction) if not contigs or gene.contig in contigs]
    nothing = as_places(())
    told = [
        class_of(gene, annotated.get((gene.contig, gene.strand), nothing), elements.get(gene.contig, nothing))
        for gene in genes
    ]
    marked = Counter((kind, gene.attributes["gene_class"] == ELEMENT) for kind, gene in zip(told, genes, strict=True))
    for kind, title in ((False, "coding"), (True, "in elements"), (None, "neither")):
        print(
            f"{title}: {marked[kind, True] + marked[kind, False]} predicted, {marked[kind, True]} called element-like"
        )
    known = [(gene, kind) for gene, kind in zip(genes, told, strict=True) if kind is not None]
    right = np.array([kind for _, kind in known], dtype=bool)
    if not right.any():
        return
    numbers = np.array([numbers_of(gene) for gene, _ in known])
    orders = {"class": np.array([element_odds(gene) for gene, _ in known])}
    names = ("short CDS", "few CDS segments", "unlikely gene", "unlikely structure")
    orders |= dict(zip(names, -numbers.T, strict=True))
    for name, scores in orders.items():
        print(f"average precision, {name}: {average_precision(scores, right):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    labels = commands.add_parser("elements")
    labels.add_argument("annotation", type=Path)
    labels.add_argument("--name", required=True, help="sequence name in the annotation = name in the FASTA")
    scores = commands.add_parser("score")
    for name in ("prediction", "annotation", "repeats"):
        scores.add_argument(name, type=Path)
    scores.add_argument("--contigs", nargs="*", default=[])
    given = parser.parse_args()
    if given.command == "elements":
        print_elements(given.annotation, given.name)
    else:
        print_scores(given.prediction, given.annotation, given.repeats, given.contigs)


if __name__ == "__main__":
    main()
