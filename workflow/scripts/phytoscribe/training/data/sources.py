"""The genomes of a split as training sees them: what is open to it, and what is hidden."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from phytoscribe.annotation.checking.tables import ignored_loci, read_transcripts
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Interval
from phytoscribe.genome import Genome
from phytoscribe.genome.intervals import read_bed
from phytoscribe.splits.held_out import TRAIN, complete_contig_parts, held_out_intervals, train_contigs
from phytoscribe.splits.table import SPLIT_COLUMNS, read_table
from phytoscribe.training.data.training_set import TrainingGenome
from phytoscribe.training.data.validation import CONTEXT, ValidationRegion, cut_regions, validation_intervals


@dataclass(frozen=True)
class SplitSources:
    """Files and configuration of all genomes that take part in the split; lists are in the order of ``names``.

    Attributes:
        names: genomes.
        fastas: indexed FASTA files.
        roles, lineages: by genome.
        contig_parts: ``{genome: {contig: part}}``.
        mode, flank: of the configuration's ``split``.
        splits: the split table.
    """

    names: Sequence[str]
    fastas: Sequence[str]
    roles: Mapping[str, str]
    lineages: Mapping[str, str]
    contig_parts: Mapping[str, Mapping[str, str]]
    mode: str
    flank: int
    splits: pd.DataFrame

    @classmethod
    def of(cls, params, fastas: Sequence[str], splits: str) -> SplitSources:
        """From a rule's params (genomes, roles, lineages, contig_parts, mode, flank) and inputs."""
        return cls(
            list(params.genomes),
            list(fastas),
            dict(params.roles),
            dict(params.lineages),
            dict(params.contig_parts),
            params.mode,
            int(params.flank),
            read_table(splits, SPLIT_COLUMNS),
        )

    def _parts(self, name: str, genome: Genome) -> Mapping[str, str]:
        return complete_contig_parts(genome.contigs, self.contig_parts.get(name, {}), name)

    def training_genomes(
        self,
        accepted: Sequence[str] | None = None,
        rejected: Sequence[str] | None = None,
        masks: Mapping[str, str] | None = None,
        incomplete_utrs: Collection[str] = (),
    ) -> list[TrainingGenome]:
        """Genomes of role train, with their genes and the loci to ignore where the files are given.

        Args:
            incomplete_utrs: genomes whose annotation leaves out untranslated regions.
        """
        found = []
        for number, (name, fasta) in enumerate(zip(self.names, self.fastas, strict=True)):
            if self.roles[name] != TRAIN:
                continue
            genome = Genome(fasta)
            parts = self._parts(name, genome)
            genes = read_gff3(accepted[number], genome.contigs) if accepted else []
            ignored = self._ignored(number, genome, genes, rejected, masks)
            found.append(
                TrainingGenome(
                    name,
                    self.lineages[name],
                    genome,
                    train_contigs(genome.contigs, TRAIN, self.mode, parts),
                    held_out_intervals(self.splits, name, genome.contigs, TRAIN, self.mode, parts, self.flank),
                    ignored,
                    genes,
                    name not in incomplete_utrs,
                )
            )
        return found

    def _ignored(
        self,
        number: int,
        genome: Genome,
        genes: Sequence[GeneModel],
        rejected: Sequence[str] | None,
        masks: Mapping[str, str] | None,
    ) -> dict[str, list[Interval]]:
        """Intervals of one genome that count for nothing: its mask and its rejected loci."""
        name = self.names[number]
        ignored = read_bed(masks[name], genome.contigs) if masks and name in masks else {}
        if rejected:
            for contig, start, end in ignored_loci(read_transcripts(rejected[number]), {gene.id for gene in genes}):
                ignored.setdefault(contig, []).append((start, end))
        return ignored

    def described(self) -> dict[str, object]:
        """What decides, beside the files, which sequence is open to training."""
        return {
            "names": self.names,
            "roles": self.roles,
            "lineages": self.lineages,
            "contig_parts": self.contig_parts,
            "mode": self.mode,
            "flank": self.flank,
        }

    def validation_regions(
        self,
        accepted: Sequence[str] | None = None,
        rejected: Sequence[str] | None = None,
        masks: Mapping[str, str] | None = None,
        context: int = CONTEXT,
    ) -> list[ValidationRegion]:
        """Regions of part validate, in the order of genomes and contigs; rejected loci are masked.

        Args:
            context: bases beside a locus in split mode ``cluster``; training sees those beyond the split's flank.
        """
        found = []
        for number, (name, fasta) in enumerate(zip(self.names, self.fastas, strict=True)):
            if self.roles[name] == "test":
                continue
            with Genome(fasta) as genome:
                parts = self._parts(name, genome)
                whole = [c for c in genome.contigs if self.roles[name] == "validate" or parts.get(c) == "validate"]
                intervals = validation_intervals(self.splits, name, genome.contigs, whole, context)
                genes = read_gff3(accepted[number], genome.contigs) if accepted else []
                rows = self.splits[(self.splits["genome"] == name) & (self.splits["part"] == "validate")]
                mask = self._ignored(number, genome, genes, rejected, masks)
                found += cut_regions(genome, name, intervals, genes, set(rows["locus"]), mask, self.lineages[name])
        return found
