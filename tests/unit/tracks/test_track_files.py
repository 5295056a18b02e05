"""Indexed files for genome browsers, and what tells IGV and JBrowse of them."""

from __future__ import annotations

import gzip
import json
import random
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pysam
import pytest

from phytoscribe.annotation import GeneModel, Transcript
from phytoscribe.annotation.gff_text import read_attributes
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.errors import GffError
from phytoscribe.genome import Genome, decode
from phytoscribe.genome.aligned_proteins import read_miniprot, write_aligned
from phytoscribe.genome.junction_table import write_table
from phytoscribe.genome.junctions import read_junctions
from phytoscribe.tracks.browsers import TrackFolder, igv_session, jbrowse_config, with_importance, with_labels
from phytoscribe.tracks.indexed import (
    index_of,
    write_bgzip_fasta,
    write_indexed_gff3,
    write_indexed_junctions,
    write_indexed_proteins,
)

ALIGNED = Path(__file__).parents[2] / "data/miniprot/athaliana.gff3.gz"
EXAMPLE = Path(__file__).parents[3] / "resources/example/athaliana"
CONTIGS = {"Chr1": 90_000, "Chr2": 120_000, "ChrC": 300}
GFF_LINE = "{}\t.\t{}\t{}\t{}\t.\t+\t.\tID={}"


@pytest.fixture(scope="module")
def indexed(tmp_path_factory) -> Path:
    """The example's annotation, shuffled within its contigs, as browsers read it."""
    with gzip.open(EXAMPLE / "annotation.gff3.gz", "rt") as handle:
        lines = [line for line in handle if not line.startswith("###")]
    features = [line for line in lines if not line.startswith("#")]
    random.Random(1).shuffle(features)
    folder = tmp_path_factory.mktemp("tracks")
    (folder / "plain.gff3").write_text("".join(["##gff-version 3\n", "# a comment\n", *features]))
    write_indexed_gff3(folder / "plain.gff3", folder / "genes.gff3.gz")
    return folder


def test_tabix_finds_what_overlaps(indexed):
    lines = [line for line in (indexed / "plain.gff3").read_text().splitlines() if not line.startswith("#")]
    rows = [(line.split("\t"), line) for line in lines]
    generator = random.Random(2)
    with pysam.TabixFile(str(indexed / "genes.gff3.gz")) as file:
        for _ in range(50):
            contig = generator.choice(["Chr1", "Chr5", "Chr5_25975502_26975502"])
            start = generator.randrange(190_000)
            end = start + generator.choice([1, 100, 5_000])
            wanted = {line for row, line in rows if row[0] == contig and int(row[3]) <= end and int(row[4]) > start}
            assert set(file.fetch(contig, start, end)) == wanted


def test_comments_stay_and_every_line_comes_once(indexed):
    with gzip.open(indexed / "genes.gff3.gz", "rt") as handle:
        written = handle.read().splitlines()
    assert written[:2] == ["##gff-version 3", "# a comment"]
    assert sorted(written) == sorted((indexed / "plain.gff3").read_text().splitlines())


def test_parents_stay_before_their_parts(tmp_path):
    lines = [GFF_LINE.format("c", kind, 5, 9, kind) for kind in ("gene", "mRNA", "exon", "CDS")]
    lines = [GFF_LINE.format("c", "gene", 7, 8, "other"), "###", *lines, ""]
    (tmp_path / "g.gff3").write_text("\n".join(lines) + "\n")
    write_indexed_gff3(tmp_path / "g.gff3", tmp_path / "g.gff3.gz")
    with gzip.open(tmp_path / "g.gff3.gz", "rt") as handle:
        assert [line.split("\t")[2] for line in handle] == ["gene", "mRNA", "exon", "CDS", "gene"]


@pytest.mark.parametrize(("end", "ending"), [(2**29, ".tbi"), (2**29 + 1, ".csi")])
def test_long_contigs_get_an_index_that_can_tell_them(tmp_path, end, ending):
    (tmp_path / "g.gff3").write_text(GFF_LINE.format("c", "gene", end - 99, end, "a") + "\n")
    target = tmp_path / "g.gff3.gz"
    for stale in (".tbi", ".csi"):
        Path(f"{target}{stale}").write_text("of an earlier run")
    assert write_indexed_gff3(tmp_path / "g.gff3", target) == index_of(target) == Path(f"{target}{ending}")
    with pysam.TabixFile(str(target), index=str(index_of(target))) as file:
        assert len(list(file.fetch("c", end - 1, end))) == 1


@pytest.mark.parametrize("name", ["sample#1#chr1", "gi|5|x", "100%", "a%20b", "a>b", "HLA:1-9", "#first", ">first"])
def test_genes_are_found_by_the_name_that_the_fasta_has(tmp_path, caplog, name):
    gene = GeneModel("g1", name, "+", (Transcript("t1", ((10, 40),), ((10, 40),)),))
    with (tmp_path / "g.gff3").open("w", encoding="utf-8") as handle:
        write_gff3(handle, [gene], {name: 100})
    write_indexed_gff3(tmp_path / "g.gff3", tmp_path / "g.gff3.gz")
    (tmp_path / "g.fa").write_text(f">{name} more\n{'ACGTA' * 20}\n")
    write_bgzip_fasta(tmp_path / "g.fa", tmp_path / "g.fa.gz")
    with pysam.FastaFile(str(tmp_path / "g.fa.gz")) as fasta, pysam.TabixFile(str(tmp_path / "g.gff3.gz")) as genes:
        assert fasta.references == [name]
        if name[0] in "#>":
            # As a comment, or the start of a FASTA, the line would be lost to all readers.
            assert genes.contigs == [f"%{ord(name[0]):02X}first"]
            assert f"contig {name}: browsers do not find its genes, since its name starts with" in caplog.text
        else:
            assert [line.split("\t")[2] for line in genes.fetch(name, 10, 40)][:2] == ["gene", "mRNA"]
            assert not caplog.records


def test_an_annotation_without_genes_can_be_indexed(tmp_path):
    (tmp_path / "g.gff3").write_text("##gff-version 3\n")
    write_indexed_gff3(tmp_path / "g.gff3", tmp_path / "g.gff3.gz")
    with pysam.TabixFile(str(tmp_path / "g.gff3.gz")) as file:
        assert file.contigs == []


def test_a_broken_line_is_named_and_nothing_is_written(tmp_path):
    (tmp_path / "g.gff3").write_text("##gff-version 3\nChr1\tonly three\tcolumns\n")
    with pytest.raises(GffError, match=r"g\.gff3, line 2: not a line of GFF3"):
        write_indexed_gff3(tmp_path / "g.gff3", tmp_path / "g.gff3.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["g.gff3"]
    with pytest.raises(GffError, match="its index is missing"):
        index_of(tmp_path / "g.gff3.gz")


def test_a_compressed_genome_gives_the_same_bases(arabidopsis_fasta, tmp_path):
    target = tmp_path / "genome.fa.gz"
    write_bgzip_fasta(arabidopsis_fasta, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["genome.fa.gz", "genome.fa.gz.fai", "genome.fa.gz.gzi"]
    with Genome(arabidopsis_fasta) as genome, pysam.FastaFile(str(target)) as compressed:
        assert dict(zip(compressed.references, compressed.lengths, strict=True)) == genome.contigs
        assert compressed.fetch("Chr5", 100_001, 100_777).upper() == decode(genome.bases("Chr5", 100_001, 100_777))
    again = tmp_path / "again.fa.gz"
    write_bgzip_fasta(arabidopsis_fasta, again)
    assert again.read_bytes() == target.read_bytes()


NAMES = {"sample#1#chr1": 90_000, "c": 2_000}
JUNCTIONS = {("c", "+", (20, 60)): 7, ("sample#1#chr1", "-", (300, 450)): 12_000, ("c", "-", (10, 80)): 1}


def test_junctions_are_introns_between_two_blocks_with_their_reads(tmp_path):
    write_table(tmp_path / "junctions.tsv", [], JUNCTIONS, NAMES)
    write_indexed_junctions(tmp_path / "junctions.tsv", NAMES, tmp_path / "junctions.bed.gz")
    assert dict(read_junctions(tmp_path / "junctions.bed.gz", NAMES)) == JUNCTIONS
    with gzip.open(tmp_path / "junctions.bed.gz", "rt") as handle:
        assert handle.readline() == "#track name=junctions graphType=junctions\n"
    with pysam.TabixFile(str(tmp_path / "junctions.bed.gz")) as file:
        assert [line.split("\t")[1:3] for line in file.fetch("c", 70, 75)] == [["9", "81"]]
        assert len(list(file.fetch("sample#1#chr1"))) == 1


def test_aligned_proteins_are_found_as_transcripts_with_all_their_segments(tmp_path):
    contigs = {"Chr3_1065466_1464870": 60_000, "Chr4": 12_000}
    proteins = read_miniprot(ALIGNED, contigs)
    proteins[0] = replace(proteins[0], protein="odd;name=1")
    write_aligned(tmp_path / "proteins.tsv", [], proteins, contigs)
    write_indexed_proteins(tmp_path / "proteins.tsv", contigs, tmp_path / "proteins.gff3.gz")
    with gzip.open(tmp_path / "proteins.gff3.gz", "rt") as handle:
        rows = [line.rstrip("\n").split("\t") for line in handle if not line.startswith("#")]
    found = {}
    for contig, _, kind, start, end, score, strand, phase, text in rows:
        said = read_attributes(text).decoded()
        if kind == "mRNA":  # the first of its lines
            found[said["ID"]] = (contig, strand, [(int(start) - 1, int(end))], said["Name"], float(score), [], [])
        else:
            found[said["Parent"]][-2].append((int(start) - 1, int(end)))
            found[said["Parent"]][-1].append(int(phase))
    assert sorted(found.values()) == sorted(
        (p.contig, p.strand, [(p.segments[0][0], p.segments[-1][1])], p.protein, p.quality, *map(list, rest))
        for p, rest in ((p, (p.segments, p.phases)) for p in proteins)
    )
    with pysam.TabixFile(str(tmp_path / "proteins.gff3.gz")) as file:
        assert any("mRNA" in line for line in file.fetch("Chr4", 0, 12_000))


def test_evidence_of_nothing_can_be_indexed(tmp_path):
    write_table(tmp_path / "junctions.tsv", [], {}, NAMES)
    write_aligned(tmp_path / "proteins.tsv", [], [], NAMES)
    write_indexed_junctions(tmp_path / "junctions.tsv", NAMES, tmp_path / "junctions.bed.gz")
    write_indexed_proteins(tmp_path / "proteins.tsv", NAMES, tmp_path / "proteins.gff3.gz")
    for name in ("junctions.bed.gz", "proteins.gff3.gz"):
        with pysam.TabixFile(str(tmp_path / name)) as file:
            assert file.contigs == []


@pytest.fixture
def folder(tmp_path) -> TrackFolder:
    for name in ("genes.gff3", "reference.gff3", "proteins.gff3", "junctions.bed"):
        for ending in ("gz", "gz.tbi"):
            (tmp_path / f"{name}.{ending}").touch()
    annotations = ["genes", "reference", "proteins"]
    return TrackFolder.of(tmp_path, "athaliana", CONTIGS, ["Chr1", "ChrC"], annotations, True, True, True)


def uris(value: object) -> list[str]:
    """Every address in a JBrowse configuration."""
    if isinstance(value, dict):
        own = [value["uri"]] if "uri" in value else []
        return own + [uri for inner in value.values() for uri in uris(inner)]
    return [uri for inner in value for uri in uris(inner)] if isinstance(value, list) else []


def test_jbrowse_is_told_of_every_file_by_relative_paths(folder):
    config = json.loads(jbrowse_config(folder))
    files = {uri.removeprefix("../") for uri in uris(config)}
    assert all(uri.startswith("../") for uri in uris(config))
    bigwigs = {track.file for track in folder.probabilities}
    assert len(bigwigs) == 12
    assert files == bigwigs | {
        *("genome.fa.gz", "genome.fa.gz.fai", "genome.fa.gz.gzi", "reads.bam", "reads.bam.csi"),
        *("genes.gff3.gz", "genes.gff3.gz.tbi", "reference.gff3.gz", "reference.gff3.gz.tbi"),
        *("proteins.gff3.gz", "proteins.gff3.gz.tbi", "junctions.bed.gz", "junctions.bed.gz.tbi"),
    }
    ids = [track["trackId"] for track in config["tracks"]]
    assert len(set(ids)) == len(ids) == 17
    assert {name for track in config["tracks"] for name in track["assemblyNames"]} == {config["assemblies"][0]["name"]}
    (junctions,) = (track for track in config["tracks"] if track["trackId"] == "junctions")
    # JBrowse shows the first display that it knows.
    assert (junctions["adapter"]["type"], junctions["displays"][0]["type"]) == ("BedTabixAdapter", "LinearArcDisplay")
    view = config["defaultSession"]["views"][0]["init"]
    assert set(view["tracks"]) <= set(ids)
    assert view["loc"] == "Chr1:35001..55000"  # the middle of the longest predicted contig


def test_igv_is_told_of_every_file_by_relative_paths(folder):
    session = ElementTree.fromstring(igv_session(folder))
    assert (session.tag, session.get("version"), session.get("genome")) == ("Session", "8", "genome.fa.gz")
    assert session.get("locus") == "Chr1:35001-55000"
    resources = [resource.get("path") for resource in session.iter("Resource")]
    bigwigs = [track.file for track in folder.probabilities]
    files = ["reference.gff3.gz", "genes.gff3.gz", "proteins.gff3.gz", *bigwigs, "junctions.bed.gz", "reads.bam"]
    assert resources == files
    tracks = {track.get("id") for track in session.iter("Track")}
    assert tracks == {*resources, "reads.bam_coverage"}
    # Of IGV's own enumeration; an unknown one would be passed over with a message in its log.
    assert {t.get("windowFunction") for t in session.iter("Track")} <= {None, "max"}


def test_tracks_of_labels_join_the_others_and_open_on_a_click(folder):
    joined = with_labels(folder, ["WRKY75", "genes"])
    added = ["regulatory/WRKY75.bw", "regulatory/genes.bw"]
    session = ElementTree.fromstring(igv_session(joined))
    assert [r.get("path") for r in session.iter("Resource")][-4:] == [*added, "junctions.bed.gz", "reads.bam"]
    assert {track.get("id") for track in session.iter("Track")} >= set(added)
    config = json.loads(jbrowse_config(joined))
    assert {f"../{file}" for file in added} <= set(uris(config))
    ids = [track["trackId"] for track in config["tracks"]]
    assert len(set(ids)) == len(ids) == 19, "a label may have the name of another track"
    assert not {"regulatory-WRKY75", "regulatory-genes"} & set(config["defaultSession"]["views"][0]["init"]["tracks"])


def test_importance_has_a_scale_of_its_own(folder):
    joined = with_importance(folder)
    session = ElementTree.fromstring(igv_session(joined))
    assert "importance.bw" in [resource.get("path") for resource in session.iter("Resource")]
    (track,) = (track for track in session.iter("Track") if track.get("id") == "importance.bw")
    assert track.get("autoScale") == "true"
    assert track.find("DataRange") is None
    config = json.loads(jbrowse_config(joined))
    (track,) = (track for track in config["tracks"] if track["trackId"] == "importance")
    assert track["displays"][0]["autoscale"] == "local"
    assert "../importance.bw" in set(uris(config))
    assert "importance" in config["defaultSession"]["views"][0]["init"]["tracks"]


def test_what_is_not_there_is_not_named(folder, tmp_path):
    bare = TrackFolder.of(tmp_path, "athaliana", CONTIGS, ["ChrC"], ["genes"], False, False)
    for text in (igv_session(bare), jbrowse_config(bare)):
        assert "genes.gff3.gz" in text
        assert not any(absent in text for absent in (".bw", "reads", "reference.gff3", "augustus", "junctions"))
    assert json.loads(jbrowse_config(bare))["defaultSession"]["views"][0]["init"]["loc"] == "ChrC:1..300"
    with pytest.raises(GffError, match=r"augustus\.gff3\.gz: its index is missing"):
        TrackFolder.of(tmp_path, "athaliana", CONTIGS, ["ChrC"], ["genes", "augustus"], False, False)


def test_a_csi_index_is_named_as_such(tmp_path):
    (tmp_path / "genes.gff3.gz.csi").touch()
    folder = TrackFolder.of(tmp_path, "g", CONTIGS, ["Chr1"], ["genes"], False, False)
    index = json.loads(jbrowse_config(folder))["tracks"][0]["adapter"]["index"]
    assert index == {
        "location": {"uri": "../genes.gff3.gz.csi", "locationType": "UriLocation"},
        "indexType": "CSI",
    }
