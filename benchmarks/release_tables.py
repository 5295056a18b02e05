"""Tables of the data of config/release.yaml: what was accepted, and what training has seen of held-out genes.

    python benchmarks/release_data.py DATA
    snakemake results/splits/splits.tsv --configfile config/release.yaml --cores 8 --until extract_proteins
    snakemake results/splits/clusters.tsv --configfile config/release.yaml --cores 8 # can be left out
    python benchmarks/release_tables.py > tables.md

Needs diamond and BLAST+. A locus of a held-out set has a homologue in training by

- protein cluster: a training locus is in its CD-HIT cluster (results/splits/clusters.tsv, one protein per locus); "-"
  while that file is not there, since CD-HIT takes 44 minutes of a core for these proteins
- protein pair: DIAMOND aligns its protein with a training protein, with the limits of the clusters (protein_pairs.py)
- CDS: discontiguous megablast covers four fifths of its CDS by alignments of 90 % identity with training CDS
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

import pandas as pd  # noqa: E402
import yaml  # noqa: E402
from protein_pairs import paired  # noqa: E402

from phytoscribe.annotation.gff_reader import read_gff3  # noqa: E402
from phytoscribe.annotation.sequences import splice  # noqa: E402
from phytoscribe.genome.fasta import Genome, read_index  # noqa: E402
from phytoscribe.genome.intervals import merge_intervals, read_bed  # noqa: E402
from phytoscribe.splits.clusters import read_proteins  # noqa: E402
from phytoscribe.splits.leakage import nucleotide_hits  # noqa: E402
from phytoscribe.splits.table import CLUSTER_COLUMNS, read_loci, read_table  # noqa: E402

CDS_IDENTITY, CDS_COVERAGE = 0.9, 0.8
TRAIN, VALIDATION, TEST = "train", "validation", "test"
TITLES = {
    "athaliana": "*A. thaliana*",
    "bnapus": "*B. napus*",
    "aarenosa": "*A. arenosa*",
    "ptrichocarpa": "poplar",
    "osativa": "rice",
    "rcommunis": "castor bean",
    "vcarteri": "*Volvox carteri*",
}
#: Test contigs of a genome that are shown one by one; more are shown together.
SHOWN_ALONE = 2


@dataclass(frozen=True)
class ReleaseGenome:
    """A genome of the configuration and the workflow's results for it.

    Attributes:
        part_of: part of each contig.
        unlabelled: what its annotation leaves out.
        check: results/clean/{name}.check.json.
    """

    name: str
    species: str
    part_of: Mapping[str, str]
    lengths: Mapping[str, int]
    masked: int
    unlabelled: tuple[str, ...]
    check: Mapping[str, Any]

    @property
    def fasta(self) -> Path:
        return Path("resources/genomes") / self.name / f"{self.name}.fa"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=Path("config/release.yaml"))
    given = parser.parse_args()
    genomes = [release_genome(item) for item in yaml.safe_load(given.config.read_text(encoding="utf-8"))["genomes"]]
    loci = loci_of(genomes)
    print(_markdown(accepted_table(genomes, loci)))
    print(_markdown(leakage_table(genomes, loci)))


def release_genome(item: Mapping[str, Any]) -> ReleaseGenome:
    """A genome of the configuration, with what the workflow found."""
    name = item["name"]
    lengths = read_index(Path("resources/genomes") / name / f"{name}.fa.fai")
    whole = {"train": TRAIN, "validate": VALIDATION, "test": TEST}
    part_of = dict.fromkeys(lengths, whole[item["role"]])
    for part, contigs in item.get("contigs", {}).items():
        part_of |= dict.fromkeys(contigs, whole[part])
    mask = read_bed(item["mask"]["path"], lengths) if "mask" in item else {}
    masked = sum(end - start for intervals in mask.values() for start, end in merge_intervals(intervals))
    check = json.loads(Path(f"results/clean/{name}.check.json").read_text(encoding="utf-8"))
    missing = (("UTRs", "utrs"), ("isoforms", "isoforms"))
    unlabelled = tuple(what for what, key in missing if item.get(key) == "incomplete")
    return ReleaseGenome(name, item.get("species", name), part_of, lengths, masked, unlabelled, check)


def loci_of(genomes: Iterable[ReleaseGenome]) -> pd.DataFrame:
    """The locus tables of the split, with the part of every locus."""
    by_name = {genome.name: genome for genome in genomes}
    loci = read_loci(f"results/splits/loci/{name}.tsv" for name in by_name)
    return loci.assign(part=[by_name[row.genome].part_of[row.contig] for row in loci.itertuples()])


def accepted_table(genomes: Iterable[ReleaseGenome], loci: pd.DataFrame) -> pd.DataFrame:
    """One row per genome: size, genes, what was rejected and why, and its accepted genes by part."""
    rows = []
    for genome in genomes:
        check = genome.check
        reasons = sorted(check["genes_rejected_by_reason"].items(), key=lambda found: (-found[1], found[0]))
        parts = loci.loc[loci["genome"] == genome.name, "part"].value_counts()
        rows.append(
            {
                "set": genome.name,
                "contigs": len(genome.lengths),
                "Mb": f"{sum(genome.lengths.values()) / 1e6:.2f}",
                "masked, kb": f"{genome.masked / 1000:.0f}",
                "genes": check["genes"],
                "accepted": check["genes_accepted"],
                "rejected": check["genes"] - check["genes_accepted"],
                "reasons": ", ".join(f"{reason} {count}" for reason, count in reasons) or "-",
                "unlabelled": ", ".join(genome.unlabelled) or "-",
                **{part: int(parts.get(part, 0)) for part in (TRAIN, VALIDATION, TEST)},
            }
        )
    return pd.DataFrame(rows)


def leakage_table(genomes: Iterable[ReleaseGenome], loci: pd.DataFrame) -> pd.DataFrame:
    """One row per held-out set: its loci, and how many have a homologue in training."""
    genomes = list(genomes)
    found = {
        "protein cluster": clustered_with_training(loci),
        "protein pair": paired_with_training(loci, genomes),
        "CDS": found_in_training_cds(loci, genomes),
    }
    held_out = loci[loci["part"] != TRAIN]
    rows = []
    for title, members in held_out.groupby(held_out_titles(held_out, genomes), sort=False):
        row: dict[str, Any] = {"held out": title, "loci": len(members)}
        for kind, known in found.items():
            if known is None:
                row[kind] = "-"
            else:
                count = int(members["protein"].isin(known).sum())
                row[kind] = f"{count} ({100 * count / len(members):.0f} %)"
        rows.append(row)
    return pd.DataFrame(rows)


def held_out_titles(held_out: pd.DataFrame, genomes: Iterable[ReleaseGenome]) -> list[str]:
    """The set of each locus: all validation of a species, and test by genome, by contig where those are few."""
    by_name = {genome.name: genome for genome in genomes}
    titles = []
    for row in held_out.itertuples():
        genome = by_name[row.genome]
        tests = [contig for contig, part in genome.part_of.items() if part == TEST]
        alone = row.part == TEST and genome.species == "athaliana" and len(tests) <= SHOWN_ALONE
        titles.append(f"{TITLES[genome.species]} {row.part}" + (f", {row.contig}" if alone else ""))
    return titles


def clustered_with_training(loci: pd.DataFrame) -> set[str] | None:
    """Proteins whose CD-HIT cluster has a training locus; None if there is no clustering."""
    path = Path("results/splits/clusters.tsv")
    if not path.is_file():
        return None
    clusters = read_table(path, CLUSTER_COLUMNS)
    training = set(loci.loc[loci["part"] == TRAIN, "protein"])
    known = set(clusters.loc[clusters["protein"].isin(training), "cluster"])
    return set(clusters.loc[clusters["cluster"].isin(known), "protein"])


def paired_with_training(loci: pd.DataFrame, genomes: Iterable[ReleaseGenome]) -> set[str]:
    """Held-out proteins that are as similar to a training protein as members of a cluster are to its longest."""
    training = set(loci.loc[loci["part"] == TRAIN, "protein"])
    proteins = read_proteins(f"results/splits/proteins/{genome.name}.faa" for genome in genomes)
    return paired(*([record for record in proteins if (record[0] in training) == wanted] for wanted in (False, True)))


def found_in_training_cds(loci: pd.DataFrame, genomes: Iterable[ReleaseGenome]) -> set[str]:
    """Proteins of held-out loci whose CDS is covered by alignments to training CDS."""
    held_out, training = [], []
    part_of = dict(zip(loci["protein"], loci["part"], strict=True))
    transcript_of = {(row.genome, row.transcript): row.protein for row in loci.itertuples()}
    for genome in genomes:
        for transcript, sequence in coding_sequences(genome):
            protein = transcript_of.get((genome.name, transcript))
            if protein is not None:
                (training if part_of[protein] == TRAIN else held_out).append(((genome.name, protein), sequence))
    hits = nucleotide_hits(held_out, training, CDS_IDENTITY, CDS_COVERAGE)
    return {protein for _, protein in hits}


def coding_sequences(genome: ReleaseGenome) -> Iterator[tuple[str, str]]:
    """(transcript, CDS) of the representative transcripts of all accepted genes."""
    with Genome(genome.fasta) as sequence:
        bases, on = None, ""
        for gene in read_gff3(f"results/clean/{genome.name}.accepted.gff3", sequence.contigs):
            if bases is None or gene.contig != on:
                bases, on = sequence.bases(gene.contig), gene.contig
            if transcript := gene.representative:
                yield transcript.id, splice(transcript.cds, transcript.strand, bases)


def _markdown(table: pd.DataFrame) -> str:
    lines = [list(table.columns), ["---"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    main()
