"""Scores without a reference: what a prediction says about itself, beside what is usual in related species.

Each row of the table is one figure with the range that it is expected in and a verdict: ``ok``; ``warning``, with what
it may mean and what to do; ``info`` where there is nothing to compare with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from phytoscribe.annotation.sequences import STOP_CODONS
from phytoscribe.errors import PhytoScribeError
from phytoscribe.evaluation.quality.gene_sequences import SPLICE_SITES, SequenceFacts
from phytoscribe.evaluation.quality.gene_shapes import QUANTILES, QUANTITIES, SINGLE_EXON, measured, shape_table
from phytoscribe.evaluation.quality.predicted_genome import Prediction
from phytoscribe.evaluation.quality.related_species import Related
from phytoscribe.tables import write_table

COLUMNS = ("group", "name", "value", "unit", "low", "high", "verdict", "note")
OK, WARNING, INFO = "ok", "warning", "info"
#: With fewer genes, or fewer bases, shares and densities are chance.
ENOUGH_GENES, ENOUGH_BASES = 100, 1_000_000
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
#: The sparsest large genomes (conifers, 20 Gb and more, some 30,000 genes) have 1.5.
LEAST_GENES_PER_MB = 1.0
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


class Row(NamedTuple):
    """One row of the table; ``low`` and ``high`` are None where nothing is expected on that side."""

    group: str
    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    verdict: str = INFO
    note: str = ""


def plausibility_rows(prediction: Prediction, related: Related, busco: Mapping[str, float] | None = None) -> list[Row]:
    """All figures with their verdicts.

    Args:
        busco: percentages by name, of :func:`phytoscribe.evaluation.quality.busco.read_summary`.
    """
    rows = [
        *_frame_rows(prediction, related),
        *_splice_rows(prediction.facts),
        *_length_rows(prediction, related),
        *_density_rows(prediction),
        *_repeat_rows(prediction),
        *_probability_rows(prediction),
        *_organelle_rows(prediction),
        *(_busco_rows(prediction, busco) if busco else []),
    ]
    return [row._replace(verdict=INFO) if _undefined(row.value) else row for row in rows]


def _frame_rows(prediction: Prediction, related: Related) -> list[Row]:
    facts, n, group = prediction.facts, prediction.facts.genes, "reading frame"
    complete, inside = share(facts.complete, n), share(facts.in_frame_stop, n)
    partial = share(sum(gene.attributes.get("partial") == "true" for gene in prediction.genes), n)
    rows = [
        Row(group, "genes", n, "genes"),
        _judged(
            Row(group, "complete", complete, "share", LEAST_COMPLETE, 1.0),
            "genes without ATG, stop or whole codons: expected only with predict.partial on short contigs; otherwise "
            "check that GFF3 and FASTA belong together",
            n >= ENOUGH_GENES,
        ),
        Row(group, "cut_by_contig_end", partial, "share"),
        _judged(
            Row(group, "in_frame_stop", inside, "share", None, 0.0),
            "stop codons inside reading frames: GFF3 and FASTA do not belong together, or another genetic code is used",
        ),
    ]
    median = float(np.median(measured(prediction.genes)["protein_length"])) if n else np.nan
    usual = related.quantile("protein_length", "median")
    cut = bool(usual) and median < CUT_PROTEINS * min(usual)
    total = sum(facts.stop_codons.values())
    for codon in STOP_CODONS:
        row = Row(group, f"stop_codon_{codon}", share(facts.stop_codons[codon], total), "share", *STOP_CODON_RANGE)
        note = "an unusual use of stop codons"
        if cut:
            note += (
                ", and short proteins: perhaps one of them codes for an amino acid here (some green algae, organelles, "
                "contaminating ciliates); PhytoScribe knows the standard code alone, so use another program for them"
            )
        else:
            note += " alone; look at base composition and at what else is marked here"
        rows.append(_judged(row, note, total >= ENOUGH_GENES))
    return rows


def _splice_rows(facts: SequenceFacts) -> list[Row]:
    n = sum(facts.splice_sites.values())
    limits = {"GT-AG": (LEAST_GT_AG, 1.0), "GC-AG": (None, MOST_GC_AG), "AT-AC": (None, 0.01), "other": (None, 0.0)}
    note = (
        "unusual splice sites: few plants have them; the sequence may be full of errors (uncorrected long reads), or "
        "GFF3 and FASTA do not belong together"
    )
    rows = [
        _judged(Row("splice sites", site, share(facts.splice_sites[site], n), "share", *limits[site]), note, n >= 200)
        for site in (*SPLICE_SITES, "other")
    ]
    return [Row("splice sites", "introns", n, "introns"), *rows]


def _length_rows(prediction: Prediction, related: Related) -> list[Row]:
    group = "lengths"
    values = measured(prediction.genes)
    found = shape_table(values, "", "").set_index("quantity")
    enough = prediction.facts.genes >= ENOUGH_GENES
    rows = []
    for quantity, unit in QUANTITIES.items():
        for name in ("mean", *QUANTILES):
            row = Row(group, f"{quantity}.{name}", float(found.loc[quantity, name]), unit)
            # The mean of a small count says more than its median.
            if name == ("mean" if quantity == "cds_exons" else "median"):
                low, high = related.range_of(quantity, name)
                row = row._replace(low=low, high=high)
                row = _judged(row, _length_note(quantity, row), enough and related.known)
            elif usual := related.quantile(quantity, name):
                row = row._replace(low=min(usual), high=max(usual))
            rows.append(row)
    nearest = related.nearest()
    if nearest is not None:
        ratio = values["protein_length"]
        ratio = float(np.median(ratio)) / nearest.loc["protein_length", "median"] if ratio.size else np.nan
        factor = related.tolerance("protein_length")
        row = Row(group, "protein_length_ratio", ratio, "ratio", 1 / factor, factor)
        note = f"median protein length over that of {related.nearest_name}"
        judged = _judged(row, f"{note}: {_length_note('protein_length', row)}", enough)
        rows.append(judged if judged.note else judged._replace(note=note))
    usual = related.quantile(SINGLE_EXON, "mean")
    high = max(usual) + MORE_SINGLE_EXON if usual else MOST_SINGLE_EXON
    row = Row(group, SINGLE_EXON, float(found.loc[SINGLE_EXON, "mean"]), "share", None, high)
    note = (
        "many genes of one exon: often transposons, pseudogenes, pieces of genes or bacterial contigs; mask repeats and"
        " look at those with a low probability (predict.sensitivity below 0 leaves them out)"
    )
    return [*rows, _judged(row, note, enough)]


def _length_note(quantity: str, row: Row) -> str:
    short = row.low is not None and row.value < row.low
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


def _density_rows(prediction: Prediction) -> list[Row]:
    group, content, n = "density", prediction.content, prediction.facts.genes
    known = content.known_bases
    enough = known >= ENOUGH_BASES
    per_mb = share(n, known) * 1e6
    whole = share(content.bases, prediction.genome_bases)
    rows = [
        Row(group, "bases", content.bases, "bp"),
        Row(group, "predicted_part_of_genome", whole, "share"),
        Row(group, "gaps", share(content.gap_bases, content.bases), "share"),
        _judged(
            Row(group, "genes_per_megabase", per_mb, "genes", LEAST_GENES_PER_MB, MOST_GENES_PER_MB),
            _flood_note(per_mb, n),
            enough,
        ),
        _judged(Row(group, "gene_number", n, "genes", None, MOST_GENES), _flood_note(MOST_GENES_PER_MB + 1, n)),
        _judged(
            Row(group, "coding_bases", share(content.cds_bases, known), "share", None, MOST_CODING),
            "more than half of the sequence codes: not a plant's nuclear genome, or a flood of false genes",
            enough,
        ),
        Row(group, "gene_bases", share(content.gene_bases, known), "share"),
    ]
    desert = share(sum(d.bases for d in content.deserts), content.long_bases)
    row = Row(group, "gene_deserts", desert, "share", None, MOST_DESERT)
    if content.deserts:
        first = content.deserts[0]
        longest = f"longest {first.contig}:{first.start + 1}-{first.end}"
        note = (
            f"{longest}: much of the long contigs lies in stretches without genes; centromeres are normal, but also "
            "look for a masked (N) or foreign sequence, and for contigs that are not of this species"
        )
        judged = _judged(row, note)
        rows.append(judged if judged.note else judged._replace(note=longest))
    else:
        rows.append(_judged(row, "", bool(content.long_bases)))
    empty = content.empty_contigs
    named = ", ".join(empty[:3]) + (", ..." if len(empty) > 3 else "")
    note = f"{named}: contigs of 1 Mb and more without any gene; satellites, a foreign sequence or a contig of N"
    return [*rows, _judged(Row(group, "long_contigs_without_genes", len(empty), "contigs", None, 0), note)]


def _flood_note(per_mb: float, genes: int) -> str:
    if per_mb > MOST_GENES_PER_MB or genes > MOST_GENES:
        return (
            "a flood of genes: transposons taken for genes, bacterial or haplotig contigs; soft-mask and look at the "
            "rows of repeats, remove such contigs, or lower predict.sensitivity"
        )
    return "hardly any genes: a genome far from the model's training species, or not a plant's; see docs/scores.md"


def _repeat_rows(prediction: Prediction) -> list[Row]:
    group, facts, content = "repeats", prediction.facts, prediction.content
    masked = share(content.masked_bases, content.known_bases)
    is_masked = not _undefined(masked) and MASKED_GENOME <= masked <= LOWER_CASE_GENOME
    hint = ""
    if masked > LOWER_CASE_GENOME:
        hint = "nearly the whole FASTA is in lower case, which then says nothing of repeats"
    elif not is_masked:
        hint = "the FASTA is not soft-masked and no BED of repeats is given, so nothing is known of repeats"
    in_repeats = Row(group, "genes_in_repeats", share(facts.in_repeats, facts.genes), "share", None, MOST_IN_REPEATS)
    note = (
        "many genes lie in repeats: probably transposons; search their proteins for transposase and reverse "
        "transcriptase domains, and leave out those with a low probability"
    )
    judged = _judged(in_repeats, note, is_masked and facts.genes >= ENOUGH_GENES)
    gaps = Row(group, "genes_over_gaps", share(facts.over_gap, facts.genes), "share", None, MOST_OVER_GAPS)
    gap_note = "many genes reach over gaps (N) of the assembly, so exons may be missing; take a better assembly"
    return [
        Row(group, "repeats_of_genome", masked, "share", note=hint),
        Row(group, "repeats_of_cds", share(facts.masked_cds_bases, facts.cds_bases), "share", note=hint),
        judged if judged.note else judged._replace(note=hint),
        _judged(gaps, gap_note, facts.genes >= ENOUGH_GENES),
        Row(group, "genes_with_gap_in_cds", share(facts.with_gap, facts.genes), "share"),
    ]


def _probability_rows(prediction: Prediction) -> list[Row]:
    group = "probability"
    scores = np.array([gene.score for gene in prediction.genes if gene.score is not None])
    if not scores.size:
        return [Row(group, "median", np.nan, "probability", note="the genes have no probabilities")]
    row = Row(group, "doubtful_genes", float((scores < DOUBTFUL).mean()), "share", None, MOST_DOUBTFUL)
    note = (
        "the model is unsure of most genes: the species is far from those it learned from; train with an annotated "
        "relative (docs/adding-a-species.md), or check the assembly"
    )
    return [
        Row(group, "median", float(np.median(scores)), "probability"),
        Row(group, "expected_right_genes", float(scores.sum()), "genes", note="sum of the genes' probabilities"),
        _judged(row, note, scores.size >= ENOUGH_GENES),
    ]


def _organelle_rows(prediction: Prediction) -> list[Row]:
    number = sum(gene.contig in prediction.organelles for gene in prediction.genes)
    named = ", ".join(f"{contig} ({kind})" for contig, kind in list(prediction.organelles.items())[:3])
    note = (
        f"genes on organelle contigs, {named}: their genes follow other rules; take them from a program for organelles"
    )
    return [
        Row("organelles", "contigs", len(prediction.organelles), "contigs"),
        _judged(Row("organelles", "genes", number, "genes", None, 0), note),
    ]


def _busco_rows(prediction: Prediction, busco: Mapping[str, float]) -> list[Row]:
    whole = share(prediction.content.bases, prediction.genome_bases) >= WHOLE_GENOME
    hint = "" if whole else "only part of the genome was predicted, so genes are missing"
    row = Row("busco", "complete", busco["complete"], "percent", LEAST_BUSCO, 100.0)
    note = (
        "genes that nearly all relatives have are missing or cut; compare with BUSCO of the genome itself: if that is "
        "high, the prediction is at fault, otherwise the assembly"
    )
    judged = _judged(row, note, whole)
    first = judged if judged.note else judged._replace(note=hint)
    units = {name: "genes" if name == "searched" else "percent" for name in busco}
    return [first, *(Row("busco", name, busco[name], units[name], note=hint) for name in busco if name != "complete")]


def share(part: float, whole: float) -> float:
    """``part / whole``; NaN of nothing."""
    return part / whole if whole else float("nan")


def _judged(row: Row, note: str, enough: bool = True) -> Row:
    """The row with its verdict; the note stays only with a warning.  ``info`` where there is not enough to judge by."""
    if not enough or _undefined(row.value) or (row.low is None and row.high is None):
        return row
    inside = (row.low is None or row.value >= row.low) and (row.high is None or row.value <= row.high)
    return row._replace(verdict=OK) if inside else row._replace(verdict=WARNING, note=note)


def _undefined(value: float) -> bool:
    return bool(np.isnan(value))


def _shown(value: float | None) -> str:
    if value is None or _undefined(value):
        return ""
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.6g}"


def write_plausibility(rows: Sequence[Row], path: str | Path) -> None:
    """Write the table with six significant digits, by rename; what is not defined is empty."""
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for column in ("value", "low", "high"):
        table[column] = [_shown(getattr(row, column)) for row in rows]
    write_table(table, path)


def read_plausibility(path: str | Path) -> pd.DataFrame:
    """Read such a table.

    Raises:
        PhytoScribeError: the file is missing or has other columns.
    """
    try:
        table = pd.read_csv(
            path, sep="\t", keep_default_na=False, na_values={c: [""] for c in ("value", "low", "high")}
        )
    except (OSError, pd.errors.EmptyDataError) as error:
        raise PhytoScribeError(f"{path}: no plausibility table ({error}); run its rule again") from error
    if tuple(table.columns) != COLUMNS:
        raise PhytoScribeError(f"{path}: columns {list(table.columns)} instead of {list(COLUMNS)}; run its rule again")
    return table
