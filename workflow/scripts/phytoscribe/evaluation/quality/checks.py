"""Quality checks without a reference: figures of a prediction, compared with related species.

Each row of the table is one figure with its expected range and a verdict: ``ok``; ``warning``, with the possible cause
and what to do; ``info`` if there is nothing to compare with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from phytoscribe.annotation.sequences import STOP_CODONS
from phytoscribe.evaluation.misfit import Amount, few_genes, least_density
from phytoscribe.evaluation.quality.gene_shapes import (
    QUANTILES,
    QUANTITIES,
    SINGLE_EXON,
    Related,
    measured,
    shape_table,
)
from phytoscribe.evaluation.quality.predicted_genome import SPLICE_SITES, Prediction, SequenceFacts
from phytoscribe.tables import PLAUSIBILITY, share, write_table

OK, WARNING, INFO = "ok", "warning", "info"
#: With fewer genes, introns or bases shares and densities are chance.
ENOUGH_GENES, ENOUGH_INTRONS, ENOUGH_BASES = 100, 200, 1_000_000
#: With less of the genome predicted, what counts a whole genome (BUSCO) says nothing.
WHOLE_GENOME = 0.95

# Limits. The figures behind them are of checked annotations: A. thaliana (8,162 genes on 36 Mb), B. napus (30,087), and
# pieces of rice, castor bean and Volvox carteri.
#: A gene is written whole or, on demand, as cut by a contig's end; anything else is a fault of the program.
LEAST_COMPLETE = 0.95
#: GT-AG: 97.9 to 100 % in these species; GC-AG: 0 to 2.1 %.
LEAST_GT_AG, MOST_GC_AG = 0.95, 0.04
#: TGA 43 to 47 %, TAA 21 to 37 %, TAG 19 to 32 % in these species.
STOP_CODON_RANGE = (0.05, 0.7)
#: Of the median protein of related species; together with skewed stop codons.
CUT_PROTEINS = 0.7
#: 97 to 288 genes per Mb in these species. The densest genome of a flowering plant that has been published, Utricularia
#: gibba, has some 350.
MOST_GENES_PER_MB = 400
#: Hexaploid wheat has 107,000.
MOST_GENES = 130_000
#: 13 to 37 % in these species.
MOST_CODING = 0.5
#: Of the bases of long contigs. Centromeres of complete assemblies are deserts, and a tenth of a genome.
MOST_DESERT = 0.25
#: Where nothing related is known: 0 (Volvox) to 26 % (rice).
MOST_SINGLE_EXON = 0.4
#: More than in the related species with most.
MORE_SINGLE_EXON = 0.12
#: 3.8 % of the genes of B. napus, whose genome is masked.
MOST_IN_REPEATS = 0.1
#: Share of repeats from which they count as known.
MASKED_GENOME = 0.03
#: Above it lower case is how the file is written.  The most of a plant genome that is repeats is near 0.9.
LOWER_CASE_GENOME = 0.98
MOST_OVER_GAPS = 0.05
#: Genes with less are more likely wrong than right.
DOUBTFUL = 0.5
MOST_DOUBTFUL = 0.5
#: Complete BUSCOs of a good annotation of a flowering plant are above 95 %.
LEAST_BUSCO = 85.0


class Figure(NamedTuple):
    """One row of the table; ``low`` and ``high`` are None if there is no limit on that side."""

    group: str
    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    verdict: str = INFO
    note: str = ""


def judged(
    group: str,
    name: str,
    value: float,
    unit: str,
    low: float | None = None,
    high: float | None = None,
    *,
    warning: str = "",
    note: str = "",
    enough: bool = True,
) -> Figure:
    """A figure with its verdict: ``info`` if it has no limits, is undefined or has not ``enough`` data.

    Args:
        warning: note for a figure outside its limits: what it may mean and what to do.
        note: note for any other figure.
    """
    if not enough or np.isnan(value) or (low is None and high is None):
        return Figure(group, name, value, unit, low, high, INFO, note)
    inside = (low is None or value >= low) and (high is None or value <= high)
    return Figure(group, name, value, unit, low, high, OK if inside else WARNING, note if inside else warning)


def plausibility(prediction: Prediction, related: Related, busco: Mapping[str, float] | None = None) -> list[Figure]:
    """All figures with their verdicts.

    Args:
        busco: percentages by name, of :func:`phytoscribe.evaluation.quality.busco.read_summary`.
    """
    return [
        *_frames(prediction, related),
        *_splice_sites(prediction.facts),
        *_lengths(prediction, related),
        *_density(prediction),
        *_repeats(prediction),
        *_probabilities(prediction),
        *_organelles(prediction),
        *(_busco(prediction, busco) if busco else []),
    ]


def _frames(prediction: Prediction, related: Related) -> list[Figure]:
    facts, n, figure = prediction.facts, prediction.facts.genes, partial(judged, "reading frame")
    partial_genes = sum(gene.attributes.get("partial") == "true" for gene in prediction.genes)
    figures = [
        figure("genes", n, "genes"),
        figure(
            "complete", share(facts.complete, n), "share", LEAST_COMPLETE, 1.0, enough=n >= ENOUGH_GENES,
            warning="genes without ATG, stop or whole codons: expected only with predict.partial on short contigs; "
            "otherwise check that GFF3 and FASTA belong together",
        ),
        figure("cut_by_contig_end", share(partial_genes, n), "share"),
        figure(
            "in_frame_stop", share(facts.in_frame_stop, n), "share", None, 0.0,
            warning="stop codons inside reading frames: GFF3 and FASTA do not belong together, or another genetic code "
            "is used",
        ),
    ]  # fmt: skip
    median = float(np.median(measured(prediction.genes)["protein_length"])) if n else np.nan
    usual = related.quantile("protein_length", "median")
    warning = "an unusual use of stop codons"
    if usual and median < CUT_PROTEINS * min(usual):
        warning += (
            ", and short proteins: perhaps one of them codes for an amino acid here (some green algae, organelles, "
            "contaminating ciliates); PhytoScribe knows the standard code alone, so use another program for them"
        )
    else:
        warning += " alone; look at base composition and at what else is marked here"
    total = sum(facts.stop_codons.values())
    for codon in STOP_CODONS:
        part, enough = share(facts.stop_codons[codon], total), total >= ENOUGH_GENES
        figures.append(figure(f"stop_codon_{codon}", part, "share", *STOP_CODON_RANGE, warning=warning, enough=enough))
    return figures


def _splice_sites(facts: SequenceFacts) -> list[Figure]:
    n, figure = sum(facts.splice_sites.values()), partial(judged, "splice sites")
    limits = {"GT-AG": (LEAST_GT_AG, 1.0), "GC-AG": (None, MOST_GC_AG), "AT-AC": (None, 0.01), "other": (None, 0.0)}
    warning = (
        "unusual splice sites: few plants have them; the sequence may be full of errors (uncorrected long reads), or "
        "GFF3 and FASTA do not belong together"
    )
    enough = n >= ENOUGH_INTRONS
    return [
        figure("introns", n, "introns"),
        *(
            figure(site, share(facts.splice_sites[site], n), "share", *limits[site], warning=warning, enough=enough)
            for site in (*SPLICE_SITES, "other")
        ),
    ]


def _lengths(prediction: Prediction, related: Related) -> list[Figure]:
    figure = partial(judged, "lengths")
    values = measured(prediction.genes)
    found = shape_table(values, "", "").set_index("quantity")
    enough = prediction.facts.genes >= ENOUGH_GENES
    figures = []
    for quantity, unit in QUANTITIES.items():
        for name in ("mean", *QUANTILES):
            value, low, high = float(found.loc[quantity, name]), None, None
            # The mean of a small count says more than its median.
            is_judged = name == ("mean" if quantity == "cds_exons" else "median")
            if is_judged:
                low, high = related.range_of(quantity, name)
            elif usual := related.quantile(quantity, name):
                low, high = min(usual), max(usual)
            warning = _length_warning(quantity, low is not None and value < low)
            known = is_judged and enough and related.known
            figures.append(figure(f"{quantity}.{name}", value, unit, low, high, warning=warning, enough=known))
    nearest = related.nearest()
    if nearest is not None:
        proteins = values["protein_length"]
        usual_length = nearest.loc["protein_length", "median"]
        ratio = float(np.median(proteins)) / usual_length if proteins.size else np.nan
        factor = related.tolerance("protein_length")
        note = f"median protein length over that of {related.nearest_name}"
        warning = f"{note}: {_length_warning('protein_length', ratio < 1 / factor)}"
        figures.append(
            figure(
                "protein_length_ratio", ratio, "ratio", 1 / factor, factor, warning=warning, note=note, enough=enough
            )
        )
    usual = related.quantile(SINGLE_EXON, "mean")
    high = max(usual) + MORE_SINGLE_EXON if usual else MOST_SINGLE_EXON
    warning = (
        "many genes of one exon: often transposons, pseudogenes, pieces of genes or bacterial contigs; mask repeats and"
        " look at those with a low probability (predict.sensitivity below 0 leaves them out)"
    )
    single = float(found.loc[SINGLE_EXON, "mean"])
    return [*figures, figure(SINGLE_EXON, single, "share", None, high, warning=warning, enough=enough)]


def _length_warning(quantity: str, short: bool) -> str:
    if quantity == "intron_length":
        return (
            "introns of another length than in related species: large genomes have longer ones; if the genome is not "
            "much larger or smaller, train with an annotated relative (docs/adding-a-species.md)"
        )
    if short:
        return (
            "shorter than in related species: genes may be cut (errors or gaps in the assembly), or be pieces of "
            "transposons; compare the probability of short genes, and BUSCO of the genome with that of the proteins"
        )
    return "longer than in related species: neighbouring genes may be joined to one; look at the longest in a browser"


def _density(prediction: Prediction) -> list[Figure]:
    figure, content, n = partial(judged, "density"), prediction.content, prediction.facts.genes
    known = content.known_bases
    enough, per_mb = known >= ENOUGH_BASES, share(n, known) * 1e6
    flood = (
        "a flood of genes: transposons taken for genes, bacterial or haplotig contigs; soft-mask and look at the "
        "rows of repeats, remove such contigs, or lower predict.sensitivity"
    )
    few = few_genes(n, Amount(content.bases, content.gap_bases, prediction.genome_bases))
    longest = ""
    if content.deserts:
        first = content.deserts[0]
        longest = f"longest {first.contig}:{first.start + 1}-{first.end}"
    empty = content.empty_contigs
    named = ", ".join(empty[:3]) + (", ..." if len(empty) > 3 else "")
    return [
        figure("bases", content.bases, "bp"),
        figure("predicted_part_of_genome", share(content.bases, prediction.genome_bases), "share"),
        figure("gaps", share(content.gap_bases, content.bases), "share"),
        figure(
            "genes_per_megabase", per_mb, "genes", least_density(prediction.genome_bases), MOST_GENES_PER_MB,
            warning=few or flood, enough=enough or bool(few),
        ),
        figure("gene_number", n, "genes", None, MOST_GENES, warning=flood),
        figure(
            "coding_bases", share(content.cds_bases, known), "share", None, MOST_CODING, enough=enough,
            warning="more than half of the sequence codes: not a plant's nuclear genome, or a flood of false genes",
        ),
        figure("gene_bases", share(content.gene_bases, known), "share"),
        figure(
            "gene_deserts", share(sum(d.bases for d in content.deserts), content.long_bases), "share", None,
            MOST_DESERT, note=longest,
            warning=f"{longest}: much of the long contigs lies in stretches without genes; centromeres are normal, but "
            "also look for a masked (N) or foreign sequence, and for contigs that are not of this species",
        ),
        figure(
            "long_contigs_without_genes", len(empty), "contigs", None, 0,
            warning=f"{named}: contigs of 1 Mb and more without any gene; satellites, a foreign sequence or a contig "
            "of N",
        ),
    ]  # fmt: skip


def _repeats(prediction: Prediction) -> list[Figure]:
    figure, facts, content = partial(judged, "repeats"), prediction.facts, prediction.content
    masked = share(content.masked_bases, content.known_bases)
    is_masked, enough = MASKED_GENOME <= masked <= LOWER_CASE_GENOME, facts.genes >= ENOUGH_GENES
    hint = ""
    if masked > LOWER_CASE_GENOME:
        hint = "nearly the whole FASTA is in lower case, which then says nothing of repeats"
    elif not is_masked:
        hint = "the FASTA is not soft-masked and no file of repeats is given, so nothing is known of repeats"
    return [
        figure("repeats_of_genome", masked, "share", note=hint),
        figure("repeats_of_cds", share(facts.masked_cds_bases, facts.cds_bases), "share", note=hint),
        figure(
            "genes_in_repeats", share(facts.in_repeats, facts.genes), "share", None, MOST_IN_REPEATS,
            note=hint, enough=is_masked and enough,
            warning="many genes lie in repeats: probably transposons; search their proteins for transposase and "
            "reverse transcriptase domains, and leave out those with a low probability",
        ),
        figure(
            "genes_over_gaps", share(facts.over_gap, facts.genes), "share", None, MOST_OVER_GAPS, enough=enough,
            warning="many genes reach over gaps (N) of the assembly, so exons may be missing; take a better assembly",
        ),
        figure("genes_with_gap_in_cds", share(facts.with_gap, facts.genes), "share"),
    ]  # fmt: skip


def _probabilities(prediction: Prediction) -> list[Figure]:
    figure = partial(judged, "probability")
    scores = np.array([gene.score for gene in prediction.genes if gene.score is not None])
    if not scores.size:
        return [figure("median", np.nan, "probability", note="the genes have no probabilities")]
    return [
        figure("median", float(np.median(scores)), "probability"),
        figure("expected_right_genes", float(scores.sum()), "genes", note="sum of the genes' probabilities"),
        figure(
            "doubtful_genes", float((scores < DOUBTFUL).mean()), "share", None, MOST_DOUBTFUL,
            enough=scores.size >= ENOUGH_GENES,
            warning="the model is unsure of most genes: the species is far from those it learned from; train with an "
            "annotated relative (docs/adding-a-species.md), or check the assembly",
        ),
    ]  # fmt: skip


def _organelles(prediction: Prediction) -> list[Figure]:
    number = sum(gene.contig in prediction.organelles for gene in prediction.genes)
    named = ", ".join(f"{contig} ({kind})" for contig, kind in list(prediction.organelles.items())[:3])
    warning = (
        f"genes on organelle contigs, {named}: their genes follow other rules; take them from a program for organelles"
    )
    return [
        judged("organelles", "contigs", len(prediction.organelles), "contigs"),
        judged("organelles", "genes", number, "genes", None, 0, warning=warning),
    ]


def _busco(prediction: Prediction, busco: Mapping[str, float]) -> list[Figure]:
    whole = share(prediction.content.bases, prediction.genome_bases) >= WHOLE_GENOME
    hint = "" if whole else "only part of the genome was predicted, so genes are missing"
    warning = (
        "genes that nearly all relatives have are missing or cut; compare with BUSCO of the genome itself: if that is "
        "high, the prediction is at fault, otherwise the assembly"
    )
    figure = partial(judged, "busco", note=hint)
    complete = figure("complete", busco["complete"], "percent", LEAST_BUSCO, 100.0, warning=warning, enough=whole)
    units = {name: "genes" if name == "searched" else "percent" for name in busco}
    return [complete, *(figure(name, busco[name], units[name]) for name in busco if name != "complete")]


def _shown(value: float | None) -> str:
    if value is None or np.isnan(value):
        return ""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.6g}"


def write_plausibility(figures: Sequence[Figure], path: str | Path) -> None:
    """Write the table with six significant digits, by rename; undefined values are empty."""
    shown = [f._replace(value=_shown(f.value), low=_shown(f.low), high=_shown(f.high)) for f in figures]
    write_table(pd.DataFrame(shown, columns=list(PLAUSIBILITY)), path)
