"""Genes of any type with several transcripts on their way from a shard to GFF3 and FASTA."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from gene_models import annotations
from hypothesis import example, given, settings
from hypothesis import strategies as st

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel, Transcript, numbered, sort_genes
from phytoscribe.genome.fasta import check_fasta, write_index
from phytoscribe.genome.sequence import decode
from phytoscribe.prediction import merge
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.prediction.run import merge_shards
from phytoscribe.prediction.shards import contigs_of_shard, shard_writer

CONTIGS = {"Chr1": 400, "Chr2": 300, "scaffold_7": 60}
#: Two transcripts of a gene that codes, a tRNA gene, and a gene of which one transcript codes for nothing.
ISOFORMS = tuple(
    Transcript("", exons, exons, score=score, attributes={"locus_probability": "0.910"})
    for exons, score in ((((30, 60), (90, 120)), 0.75), (((30, 60), (96, 120)), 0.25))
)
CODING = GeneModel("", "Chr1", "+", ISOFORMS, score=0.875)
TRNA = GeneModel("", "Chr1", "-", (Transcript("", ((150, 180), (190, 230)), type="tRNA"),), type="ncRNA_gene")
MIXED = replace(CODING, transcripts=(*ISOFORMS, Transcript("", ((30, 120),), type="lnc_RNA")), source="other")


def placed(gene: GeneModel, contig: str, strand: str) -> GeneModel:
    transcripts = tuple(replace(t, contig=contig, strand=strand) for t in gene.transcripts)
    return replace(gene, contig=contig, strand=strand, transcripts=transcripts)


EXAMPLE = [CODING, TRNA, placed(MIXED, "Chr2", "-"), placed(TRNA, "Chr2", "+")]


@st.composite
def predictions(draw: st.DrawFn) -> list[GeneModel]:
    kinds = st.sampled_from(["ncRNA_gene", "pseudogene", "transposable_element_gene"])
    scores = st.sampled_from([None, 0.0, 0.125, 1.0])
    return [
        replace(
            gene,
            type="gene" if gene.coding_transcripts else draw(kinds),
            source=draw(st.sampled_from(["PhytoScribe", "tRNAscan-SE"])),
            score=draw(scores),
            transcripts=tuple(replace(t, score=draw(scores)) for t in gene.transcripts),
        )
        for gene in draw(annotations(CONTIGS))
    ]


@pytest.fixture(scope="module", autouse=True)
def any_structure():
    """Genes at random places of random sequence are not intact."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merge, "check_gene", lambda gene, genome: genome.bases(gene.contig, gene.start, gene.end))
        yield


@pytest.fixture(scope="module")
def fasta(tmp_path_factory) -> Path:
    folder, generator = tmp_path_factory.mktemp("genome"), np.random.default_rng(3)
    records = (f">{name}\n{decode(generator.integers(0, 4, n).astype(np.uint8))}\n" for name, n in CONTIGS.items())
    (folder / "source.fa").write_text("".join(records))
    check_fasta(folder / "source.fa", folder / "g.fa")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    return folder / "g.fa"


def merged(genes: Sequence[GeneModel], fasta: Path, folder: Path, shards: int) -> PredictionFiles:
    """The files of a prediction that so many jobs made."""
    paths = []
    for shard in range(shards):
        paths.append(str(folder / f"{shards}.{shard}.jsonl"))
        with shard_writer(paths[-1], {"model": "x"}) as write:
            for contig in contigs_of_shard(CONTIGS, shard, shards):
                write(contig, [gene for gene in genes if gene.contig == contig])
    names = ("genes.gff3", "genes.gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
    files = PredictionFiles(*(folder / f"{shards}.{name}" for name in names))
    merge_shards(paths, fasta, "g", None, files)
    return files


def ids_in(path: str | Path) -> list[str]:
    return [line[1:].strip() for line in Path(path).read_text().splitlines() if line.startswith(">")]


@settings(max_examples=30, deadline=None)
@example(EXAMPLE)
@given(predictions())
def test_what_a_gene_is_survives_shards_merge_and_gff3(fasta, drawn):
    genes = sort_genes(drawn, CONTIGS)
    wanted = list(numbered(genes, "g"))
    with TemporaryDirectory() as name:
        one, three = (merged(genes, fasta, Path(name), shards) for shards in (1, 3))
        for part in PredictionFiles.__slots__:
            assert Path(getattr(one, part)).read_bytes() == Path(getattr(three, part)).read_bytes(), part
        assert read_gff3(one.gff3) == [
            replace(gene, attributes={"gene_biotype": gene.biotype, **gene.attributes}) for gene in wanted
        ]
        coding = [t for gene in wanted for t in gene.coding_transcripts]
        everything = [t.id for gene in wanted for t in gene.transcripts]
        assert ids_in(one.proteins) == ids_in(one.cds) == [t.id for t in coding]
        assert ids_in(one.transcripts) == everything
        found = json.loads(Path(one.stats).read_text())
    assert (found["genes"], found["transcripts"]) == (len(wanted), len(everything))
    assert found["cds_length_mean"] == (round(np.mean([t.cds_length for t in coding]), 1) if coding else None)
    assert found["single_exon_genes"] == sum(all(len(t.exons) == 1 for t in g.transcripts) for g in wanted)
