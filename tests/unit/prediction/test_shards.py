"""Shard files that were cut, changed or come from elsewhere, and genes that do not fit the sequence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.annotation.model import GeneModel
from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome import Genome, decode
from phytoscribe.genome.fasta import check_fasta, write_index
from phytoscribe.prediction.intact import check_gene
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.prediction.run import merge_shards
from phytoscribe.prediction.shards import Shards, shard_writer

CONTIGS = ["Chr4", "empty"]
NAMES = ("genes.gff3", "genes.gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")


@pytest.fixture(scope="module")
def genes(arabidopsis_genes) -> list[GeneModel]:
    """Real genes of one contig, both strands, some with several transcripts."""
    chosen = [gene for gene in arabidopsis_genes if gene.contig == "Chr4"][:40]
    assert {gene.strand for gene in chosen} == {"+", "-"}
    assert any(len(gene.transcripts) > 1 for gene in chosen)
    return chosen


@pytest.fixture(scope="module")
def genome(arabidopsis_fasta):
    with Genome(arabidopsis_fasta) as opened:
        yield opened


@pytest.fixture
def shard(genes, tmp_path) -> Path:
    with shard_writer(tmp_path / "000.jsonl", {"model": "x"}) as write:
        write("Chr4", genes)
        write("empty", [])
    return tmp_path / "000.jsonl"


def test_a_whole_file_gives_back_its_genes(shard, genes):
    shards = Shards([shard], CONTIGS)
    assert list(shards.genes()) == genes
    assert shards.gene_count == len(genes)
    last = json.loads(shard.read_text().splitlines()[-1])["end"]
    assert (last["contigs"], last["genes"]) == (2, len(genes))


def lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    return lambda content: b"".join(change(content.splitlines(keepends=True)))


def coordinate_changed(content: bytes) -> bytes:
    start = json.loads(content.splitlines()[5])["transcripts"][0]["cds"][0][0]
    return content.replace(f"[{start}, ".encode(), f"[{start + 1}, ".encode(), 1)


DAMAGES = [
    ("cut at a line's end", lines(lambda found: found[:6]), "000.jsonl: the last line, which has the number of genes"),
    ("cut in a line", lambda content: content[: len(content) // 2], "000.jsonl: the last line"),
    ("cut in the last line", lambda content: content[:-20], "000.jsonl, line 44: not readable as JSON"),
    ("old version", lines(lambda found: found[:-1]), "or comes from an older version of PhytoScribe"),
    ("a gene lost", lines(lambda found: found[:8] + found[9:]), "2 contigs and 39 genes instead of the 2 and 40"),
    ("a contig lost", lines(lambda found: found[:-2] + found[-1:]), "1 contigs and 40 genes instead of the 2 and 40"),
    ("a number changed", coordinate_changed, "000.jsonl: changed since it was written"),
    (
        "order changed",
        lines(lambda found: [*found[:2], found[3], found[2], *found[4:]]),
        "changed since it was written",
    ),
    (
        "line damaged",
        lines(lambda found: [*found[:4], b"\x00\xff\x80\n", *found[5:]]),
        "000.jsonl, line 5: not readable",
    ),
    ("two files in one", lambda content: content + content, "000.jsonl, line 45: something follows the last line"),
    ("empty", lambda content: b"", "000.jsonl, line 1: not readable as JSON"),
    ("binary", lambda content: bytes(range(256)) * 9, "000.jsonl, line 1: not readable as JSON"),
    ("other line ends", lambda content: content.replace(b"\n", b"\r\n"), "changed since it was written"),
    ("only the last line", lines(lambda found: found[-1:]), "000.jsonl"),
    ("a list", lambda content: b"[1]\n" + content, "000.jsonl, line 1: not readable as JSON"),
]


@pytest.mark.parametrize(("damage", "message"), [d[1:] for d in DAMAGES], ids=[d[0] for d in DAMAGES])
def test_a_damaged_file_is_named_with_what_to_do(shard, damage, message):
    shard.write_bytes(damage(shard.read_bytes()))
    with pytest.raises(PhytoScribeError, match=message) as told:
        Shards([shard], CONTIGS)
    assert str(told.value).endswith("delete it and run again")


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(1, 255))
def test_no_changed_byte_goes_unseen(genes, tmp_path_factory, place, byte):
    path = tmp_path_factory.mktemp("byte") / "0.jsonl"
    with shard_writer(path, {"model": "x"}) as write:
        write("Chr4", genes[:3])
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= byte
    path.write_bytes(content)
    with pytest.raises(PhytoScribeError, match=r"0\.jsonl"):
        Shards([path], ["Chr4"])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PhytoScribeError, match=r"0.jsonl: cannot be read"):
        Shards([tmp_path / "0.jsonl"], CONTIGS)


def test_fields_of_another_version_are_told(tmp_path, genes):
    path = tmp_path / "0.jsonl"
    with shard_writer(path, {"model": "x"}) as write:
        write("Chr4", genes[:1])
    text = path.read_text().replace('"biotype"', '"another"')
    # Such a file is whole: its own checksum is right.
    *kept, last = text.splitlines(keepends=True)
    digest = hashlib.sha256("".join(kept).encode()).hexdigest()
    end = json.loads(last)["end"]
    path.write_text("".join(kept) + '{"end": ' + json.dumps({**end, "sha256": digest}) + "}\n")
    with pytest.raises(PhytoScribeError, match=r"0.jsonl, line 3: no gene as this version"):
        list(Shards([path], ["Chr4"]).genes())


def test_real_genes_are_intact_on_their_genome_and_on_no_other(arabidopsis_genes, genome):
    for gene in arabidopsis_genes:
        check_gene(gene, genome)
    for gene in arabidopsis_genes[:100]:
        with pytest.raises(PhytoScribeError, match="made from another FASTA"):
            check_gene(gene.shifted(1), genome)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_moved_end_of_a_cds_is_seen(genes, genome, data):
    """As in a file whose coordinate was changed; exons follow, so that the structure stays well-formed."""
    gene = data.draw(st.sampled_from(genes))
    transcript = data.draw(st.sampled_from(gene.transcripts))
    number, side = data.draw(st.integers(0, len(transcript.cds) - 1)), data.draw(st.integers(0, 1))
    step = data.draw(st.sampled_from([-4, -2, -1, 1, 2, 4]))
    segment = list(transcript.cds[number])
    segment[side] += step
    cds = (*transcript.cds[:number], tuple(segment), *transcript.cds[number + 1 :])
    changed = replace(transcript, exons=cds, cds=cds)
    with pytest.raises(PhytoScribeError, match=f"gene {gene.id} "):
        check_gene(replace(gene, transcripts=(changed,)), genome)


def bare(gene: GeneModel) -> GeneModel:
    """Without untranslated regions."""
    return replace(gene, transcripts=tuple(replace(t, exons=t.cds) for t in gene.transcripts[:1]))


def written(folder: Path, bases: np.ndarray) -> Genome:
    (folder / "source.fa").write_text(f">Chr4\n{decode(bases)}\n")
    check_fasta(folder / "source.fa", folder / "g.fa")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    return Genome(folder / "g.fa")


def cut_gene(gene: GeneModel, start: int, end: int, phase: int = 0) -> GeneModel:
    """What is left of a gene without untranslated regions on ``[start, end)``, said to be partial."""
    (transcript,) = gene.transcripts
    cds = tuple((max(s, start) - start, min(e, end) - start) for s, e in transcript.cds if s < end and e > start)
    left = replace(transcript, exons=cds, cds=cds, attributes={"partial": "true"}, start_phase=phase)
    return replace(gene, transcripts=(left,), attributes={"partial": "true"})


@pytest.mark.parametrize("strand", ["+", "-"])
def test_genes_cut_by_the_contigs_ends_are_respected_and_no_others(genes, genome, tmp_path, strand):
    gene = next(bare(g) for g in genes if g.strand == strand and len(bare(g).transcripts[0].cds) > 3)
    cds = gene.transcripts[0].cds
    length = gene.transcripts[0].cds_length
    # In an exon; and in an intron, of which ten bases are left.
    cuts = [(cds[0][0] + 7, gene.end), (gene.start, cds[-1][1] - 7)]
    cuts += [(cds[1][0] - 10, gene.end), (gene.start, cds[-2][1] + 10)]
    for number, (start, end) in enumerate(cuts):
        kept = sum(min(e, end) - max(s, start) for s, e in cds if s < end and e > start)
        at_start = (strand == "+") == (start > gene.start)
        phase = (3 - (length - kept) % 3) % 3 if at_start else 0
        folder = tmp_path / str(number)
        folder.mkdir()
        with written(folder, genome.bases("Chr4", start, end)) as small:
            cut = cut_gene(gene, start, end, phase)
            check_gene(cut, small)
            whole = replace(cut.transcripts[0], attributes={})
            with pytest.raises(PhytoScribeError, match=r"start codon|stop codon|no whole codons"):
                check_gene(replace(cut, transcripts=(whole,)), small)
            other = replace(cut.transcripts[0], start_phase=(phase + 1) % 3)
            with pytest.raises(PhytoScribeError, match=r"is a stop codon|start codon"):
                check_gene(replace(cut, transcripts=(other,)), small)
    # Said to be cut, in the middle of the contig.
    (transcript,) = gene.transcripts
    inner = tuple((s + 6 * (s == cds[0][0]), e) for s, e in cds)
    partial = replace(transcript, exons=inner, cds=inner, attributes={"partial": "true"})
    with pytest.raises(PhytoScribeError, match=r"start codon|stop codon"):
        check_gene(replace(gene, transcripts=(partial,)), genome)


def test_genes_of_another_fasta_stop_the_merge_and_nothing_is_written(genes, shard, genome, tmp_path):
    """As when the FASTA was replaced while the shards stayed."""
    bases = np.delete(genome.bases("Chr4"), genes[20].start - 1)
    out = tmp_path / "out"
    out.mkdir()
    (out / "source.fa").write_text(f">Chr4\n{decode(bases)}\n>empty\nACGT\n")
    check_fasta(out / "source.fa", out / "g.fa")
    write_index(out / "g.fa", out / "g.fa.fai")
    files = PredictionFiles(*(out / name for name in NAMES))
    with pytest.raises(
        PhytoScribeError, match=r"gene k_g0000\d\d \(Chr4:\d+-\d+, [+-] strand\), transcript k_g0000"
    ) as told:
        merge_shards([str(shard)], out / "g.fa", "k", None, files)
    assert "results/predictions/shards/" in str(told.value)
    assert {path.name for path in out.iterdir()} == {"source.fa", "g.fa", "g.fa.fai"}


def merged(folder: Path, bases: np.ndarray, genes: list[GeneModel]) -> tuple[str, PredictionFiles]:
    """The warning of a merge, and its files."""
    with written(folder, bases), shard_writer(folder / "0.jsonl", {"model": "x"}) as write:
        write("Chr4", genes)
    files = PredictionFiles(*(folder / name for name in NAMES))
    return merge_shards([str(folder / "0.jsonl")], folder / "g.fa", "k", None, files), files


def test_a_dozen_genes_on_eight_megabases_are_told_in_gff3_and_statistics(genes, genome, tmp_path):
    bases = np.random.default_rng(1).integers(0, 4, 8_000_000).astype(np.uint8)
    spread = []
    for number, gene in enumerate(genes[:12]):
        start = 300_000 + 650_000 * number
        bases[start : start + gene.end - gene.start] = genome.bases("Chr4", gene.start, gene.end)
        spread.append(gene.shifted(start - gene.start))
    warning, files = merged(tmp_path, bases, spread)
    assert warning.startswith("hardly any genes: 12 on 8.00 Mb of known bases, where a plant has 10 or more per Mb")
    assert f"# warning: {warning}\n" in Path(files.gff3).read_text().split("\tgene\t")[0]
    assert json.loads(Path(files.stats).read_text())["header"]["warning"] == warning


@pytest.mark.parametrize(("gap", "told"), [(0, "not one gene on 0.06 Mb of known bases (2% of"), (20_000, "")])
def test_gaps_are_no_bases_that_could_have_genes(genome, tmp_path, gap, told):
    bases = genome.bases("Chr4", 0, 60_000).copy()
    bases[:gap] = 4
    warning, files = merged(tmp_path, bases, [])
    assert warning.startswith(told)
    assert bool(warning) == bool(told)
    assert ("warning" in Path(files.gff3).read_text()) == bool(told)


def test_genes_as_dense_as_they_are_give_no_warning(genes, genome, tmp_path):
    warning, files = merged(tmp_path, genome.bases("Chr4"), genes)
    assert warning == ""
    assert "warning" not in Path(files.gff3).read_text().split("\tgene\t")[0]
