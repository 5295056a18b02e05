"""Evidence from files to GFF3: what is gathered, what is refused, and what it changes in a prediction."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.annotation.model import GeneModel
from phytoscribe.errors import ModelError, PhytoScribeError, ToolError
from phytoscribe.files import sha256_of
from phytoscribe.genome import Genome, check_fasta, decode
from phytoscribe.genome.aligned_proteins import read_aligned
from phytoscribe.genome.fasta import write_index
from phytoscribe.genome.junction_table import read_gathered, read_table, write_table
from phytoscribe.genome.spliced_reads import strand_by_motif
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction import judged_evidence
from phytoscribe.prediction.gathered_evidence import gather_evidence
from phytoscribe.prediction.gathered_proteins import LEAST_QUALITY, gather_proteins
from phytoscribe.prediction.judged_evidence import judge_evidence
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.prediction.run import merge_shards, predict_shard
from phytoscribe.prediction.windows import PredictionSettings

RELEASED = Path(__file__).parents[3] / "resources/models/brassicales"
WEIGHTS, PROTEIN_WEIGHTS = RELEASED / "evidence.json", RELEASED / "protein_evidence.json"
#: miniprot's, of the contigs below.
ALIGNED = Path(__file__).parents[2] / "data/miniprot/athaliana.gff3.gz"
ANNOTATION = Path(__file__).parents[3] / "resources/example/athaliana/annotation.gff3.gz"
#: Two pieces of validation contigs of the example; reads are of the first alone.
LONG, SHORT = ("Chr3_1065466_1464870", 60_000), ("Chr4", 12_000)
SETTINGS = {
    "window": 32768,
    "margin": 4096,
    "batch_size": 1,
    "precision": "float32",
    "device": "cpu",
    "sensitivity": 0.0,
    "partial": False,
}


@pytest.fixture(scope="module")
def fasta(tmp_path_factory, arabidopsis_fasta) -> Path:
    folder = tmp_path_factory.mktemp("genome")
    with Genome(arabidopsis_fasta) as genome:
        text = "".join(f">{name}\n{decode(genome.bases(name, 0, end))}\n" for name, end in (LONG, SHORT))
    (folder / "source.fa").write_text(text)
    check_fasta(folder / "source.fa", folder / "g.fa")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    return folder / "g.fa"


@pytest.fixture(scope="module")
def reference() -> list[GeneModel]:
    return [gene for gene in read_gff3(ANNOTATION) if gene.contig == LONG[0] and gene.end <= LONG[1]]


@pytest.fixture(scope="module")
def junctions(reference, fasta) -> Counter:
    """Annotated introns with numbers of reads that are all different."""
    found = dict.fromkeys(
        (gene.contig, gene.strand, i) for gene in reference for t in gene.transcripts for i in t.introns
    )
    with Genome(fasta) as genome:
        strand_by = strand_by_motif(genome)
        kept = [key for key in found if strand_by(key[0], key[2]) == key[1]]
    assert len(kept) > 60
    return Counter({key: 10 + number for number, key in enumerate(kept)})


def star(junctions) -> str:
    return "".join(
        f"{contig}\t{start + 1}\t{end}\t{1 if strand == '+' else 2}\t1\t0\t{reads}\t0\t30\n"
        for (contig, strand, (start, end)), reads in junctions.items()
    )


def bed12(junctions) -> str:
    return "".join(
        f"{contig}\t{start - 9}\t{end + 7}\tj\t{reads}\t{strand}\t0\t0\t0\t2\t9,7\t0,{end - start + 9}\n"
        for (contig, strand, (start, end)), reads in junctions.items()
    )


def hints(junctions) -> str:
    """Without strands, as bam2hints gives them."""
    return "".join(
        f"{contig}\tb2h\tintron\t{start + 1}\t{end}\t0\t.\t.\tmult={reads};pri=4;src=E\n"
        for (contig, _, (start, end)), reads in junctions.items()
    )


def gathered(folder: Path, fasta: Path, **texts: str) -> Path:
    """The table of files with these contents."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    gather_evidence([folder / name for name in texts], None, fasta, folder / "gathered.tsv")
    return folder / "gathered.tsv"


def judge(gathered: Path, fasta: Path, **options: bool) -> tuple[Path, list[str]]:
    """The table of what agrees with the network, and the warnings."""
    settings = PredictionSettings(**{name: SETTINGS[name] for name in PredictionSettings.__slots__})
    table = gathered.with_name("table.tsv")
    return table, judge_evidence(gathered, fasta, RELEASED, settings, "athaliana", "Brassicales", table, **options)


@pytest.fixture(scope="module")
def table(junctions, fasta, tmp_path_factory) -> Path:
    """Of the annotated introns; so few judge nothing."""
    return judge(gathered(tmp_path_factory.mktemp("evidence"), fasta, SJ=star(junctions)), fasta)[0]


def moved(junctions: Counter, fasta: Path, share: float) -> Counter:
    """A share of the junctions at other places with the ends of an intron."""
    generator, found = np.random.default_rng(3), Counter()
    with Genome(fasta) as genome:
        text = decode(genome.bases(LONG[0]))
    for (contig, strand, (start, end)), reads in junctions.items():
        if generator.random() < share:
            opening, closing = ("GT", "AG") if strand == "+" else ("CT", "AC")
            length = end - start
            places = [
                k
                for k in range(1, len(text) - length)
                if text[k : k + 2] == opening and text[k + length - 2 : k + length] == closing
            ]
            start = int(generator.choice(places))
            end = start + length
        found[contig, strand, (start, end)] += reads
    return found


def test_formats_give_one_table_and_files_are_added_up(junctions, fasta, table, tmp_path):
    files, rows = read_table(table)
    assert [str(file) for file in files] == [
        f"SJ, sha256 {sha256_of(table.parent / 'SJ')}, {junctions.total()} reads on {len(junctions)} junctions"
    ]
    assert rows["reads"].sum() == junctions.total()
    assert rows["start"].is_monotonic_increasing
    for number, text in enumerate((bed12(junctions), hints(junctions))):
        assert read_gathered(gathered(tmp_path / str(number), fasta, one=text))[1].drop(columns="file").equals(rows)
    both = read_table(judge(gathered(tmp_path / "both", fasta, one=star(junctions), two=bed12(junctions)), fasta)[0])[1]
    assert (both["reads"] == 2 * rows["reads"]).all()


def test_introns_without_splice_sites_are_left_out(junctions, fasta, table, tmp_path):
    shifted = {(c, s, (start + 1, end + 1)): 3 for c, s, (start, end) in list(junctions)[:20]}
    rows = read_gathered(gathered(tmp_path, fasta, one=star(junctions) + star(shifted)))[1]
    assert len(rows) < len(junctions) + 5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda found: "", "it has no junctions"),
        (lambda found: star(dict.fromkeys(found, 0)), "no read splices a junction"),
        (lambda found: star(found).replace(LONG[0], "Chr9"), "the contig 'Chr9' is not in the FASTA"),
        (lambda found: star({(c, "+-"[s == "+"], i): n for (c, s, i), n in found.items()}), "only 0 % of its reads"),
        (
            lambda found: star({(c, s, (a + 7, b + 7)): n for (c, s, (a, b)), n in found.items()}),
            "do not belong to this genome",
        ),
    ],
    ids=["empty", "no reads", "other names", "wrong strands", "another assembly"],
)
def test_a_file_that_is_no_evidence_stops_the_run_or_is_left_out_with_a_warning(
    junctions, fasta, table, tmp_path, change, told
):
    bad, good = tmp_path / "bad", tmp_path / "good"
    bad.write_text(change(junctions))
    good.write_text(star(junctions))
    with pytest.raises(PhytoScribeError, match=f"{told}.*strict: false"):
        gather_evidence([good, bad], None, fasta, tmp_path / "table.tsv")
    assert not (tmp_path / "table.tsv").exists()
    (warning,) = gather_evidence([good, bad], None, fasta, tmp_path / "table.tsv", strict=False)
    assert warning.startswith(f"evidence is left out: {bad}")
    files, rows = read_gathered(tmp_path / "table.tsv")
    assert rows.drop(columns="file").equals(read_table(table)[1])
    assert told in str(files[1])
    assert str(tmp_path) not in str(files[1])


def test_a_file_whose_introns_lie_where_the_network_sees_none_stops_the_run_or_is_left_out(
    junctions, fasta, table, tmp_path, monkeypatch
):
    monkeypatch.setattr(judged_evidence, "LEAST_JUDGED", 20)
    right, wrong = star(junctions), star(moved(junctions, fasta, 0.7))
    assert not judge(gathered(tmp_path / "right", fasta, one=right), fasta)[1]
    both = gathered(tmp_path / "both", fasta, one=right, two=wrong)
    with pytest.raises(PhytoScribeError, match=r"two: only \d\d % of its well supported introns.*strict: false"):
        judge(both, fasta)
    assert not (tmp_path / "both/table.tsv").exists()
    assert not judge(both, fasta, judge=False)[1]
    assert read_table(tmp_path / "both/table.tsv")[1]["reads"].sum() == 2 * junctions.total()
    used, (warning,) = judge(both, fasta, strict=False)
    assert warning.startswith("evidence is left out: two: only")
    files, rows = read_table(used)
    assert rows.equals(read_table(table)[1])
    assert "left out" in str(files[1])
    assert "left out" not in str(files[0])


def predict(
    fasta: Path, folder: Path, evidence=None, proteins=None, shards: int = 1, threads: int = 1
) -> PredictionFiles:
    folder.mkdir()
    paths = []
    for shard in range(shards):
        place = ("athaliana", "Brassicales", None, shard, folder / f"{shard}.jsonl", threads)
        predict_shard(fasta, RELEASED, {**SETTINGS, "shards": shards}, *place, evidence=evidence, proteins=proteins)
        paths.append(str(folder / f"{shard}.jsonl"))
    names = ("genes.gff3", "genes.gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
    files = PredictionFiles(*(folder / name for name in names))
    merge_shards(paths, fasta, "g", None, files)
    return files


@pytest.fixture(scope="module")
def plain(fasta, tmp_path_factory) -> PredictionFiles:
    return predict(fasta, tmp_path_factory.mktemp("plain") / "run")


@pytest.fixture(scope="module")
def weighed(fasta, table, tmp_path_factory) -> PredictionFiles:
    return predict(fasta, tmp_path_factory.mktemp("weighed") / "run", (table, WEIGHTS))


def right(files: PredictionFiles, reference: list[GeneModel]) -> set[tuple]:
    """The CDS of predicted genes that are annotated."""
    wanted = {(gene.strand, t.cds) for gene in reference for t in gene.coding_transcripts}
    found = {(gene.strand, gene.transcripts[0].cds) for gene in read_gff3(files.gff3) if gene.contig == LONG[0]}
    return wanted & found


def test_evidence_makes_genes_right_and_says_so(plain, weighed, reference, junctions):
    assert len(right(weighed, reference)) > len(right(plain, reference)) > 5
    lines = Path(weighed.gff3).read_text().splitlines()
    told = [line for line in lines if line.startswith("# evidence")]
    assert told[0].startswith("# evidence 1: SJ, sha256 ")
    assert told[0].endswith(f"{junctions.total()} reads on {len(junctions)} junctions")
    assert told[1:] == [f"# evidence weights: {sha256_of(WEIGHTS)[:16]}"]
    for gene in read_gff3(weighed.gff3):
        for transcript in gene.transcripts:
            introns = transcript.introns if gene.strand == "+" else transcript.introns[::-1]
            reads = [junctions[gene.contig, gene.strand, intron] for intron in introns]
            if introns and gene.contig == LONG[0]:
                assert transcript.attributes["supporting_reads"] == ",".join(map(str, reads))
                assert transcript.attributes["supported_introns"] == f"{sum(map(bool, reads))}/{len(reads)}"
            else:
                assert "supported_introns" not in transcript.attributes


def test_a_contig_without_reads_is_as_from_dna(plain, weighed):
    names = ("cds", "exons")
    alone, beside = (
        [
            [getattr(t, name) for name in names]
            for g in read_gff3(files.gff3)
            if g.contig == SHORT[0]
            for t in g.transcripts
        ]
        for files in (plain, weighed)
    )
    assert alone == beside != []


def test_shards_and_threads_do_not_change_a_byte(fasta, table, weighed, tmp_path):
    other = predict(fasta, tmp_path / "run", (table, WEIGHTS), shards=2, threads=3)
    for name in PredictionFiles.__slots__:
        assert Path(getattr(other, name)).read_bytes() == Path(getattr(weighed, name)).read_bytes(), name


def test_evidence_of_nothing_is_dna_alone(fasta, plain, tmp_path):
    """As where all files were left out: but for the header, every byte."""
    write_table(tmp_path / "table.tsv", [], {}, [LONG[0]])
    other = predict(fasta, tmp_path / "run", (tmp_path / "table.tsv", WEIGHTS))
    found = [
        [line for line in Path(files.gff3).read_text().splitlines() if not line.startswith("# evidence")]
        for files in (plain, other)
    ]
    assert found[0] == found[1]


def test_false_junctions_of_one_read_leave_right_genes_as_they_are(fasta, plain, reference, tmp_path):
    """One of the same strand and one antisense in every gene that DNA has right, with the ends of introns."""
    generator, false = np.random.default_rng(0), {}
    with Genome(fasta) as genome:
        text = decode(genome.bases(LONG[0]))
    known = right(plain, reference)
    for _, cds in sorted(known):
        for strand, opening, closing in (("+", "GT", "AG"), ("-", "CT", "AC")):
            lefts = [k for k in range(cds[0][0] + 4, cds[-1][1] - 60) if text[k : k + 2] == opening]
            left = int(generator.choice(lefts))
            rights = [k for k in range(left + 50, cds[-1][1]) if text[k - 2 : k] == closing]
            if rights:
                false[LONG[0], strand, (left, int(generator.choice(rights)))] = 1
    assert len(false) > 8
    write_table(tmp_path / "table.tsv", [], false, [LONG[0]])
    found = right(predict(fasta, tmp_path / "run", (tmp_path / "table.tsv", WEIGHTS)), reference)
    assert known <= found


def test_weights_of_another_model_are_refused(fasta, table, tmp_path):
    values = json.loads(WEIGHTS.read_text())
    assert values["model"] == model_hash(RELEASED)
    (tmp_path / "evidence.json").write_text(json.dumps(values | {"model": "another"}))
    with pytest.raises(ModelError, match="fitted for model another"):
        predict(fasta, tmp_path / "run", (table, tmp_path / "evidence.json"))
    shutil.copy(table, tmp_path / "table.tsv")
    (tmp_path / "table.tsv").write_text((tmp_path / "table.tsv").read_text().replace("contig\t", "chrom\t", 1))
    with pytest.raises(PhytoScribeError, match=r"table.tsv: no table of junctions \(its columns are chrom"):
        predict(fasta, tmp_path / "run2", (tmp_path / "table.tsv", WEIGHTS))


@pytest.fixture(scope="module")
def proteins(fasta, tmp_path_factory) -> Path:
    """The table of the proteins that are aligned, of whatever quality is used."""
    table = tmp_path_factory.mktemp("proteins") / "proteins.tsv"
    assert gather_proteins([ALIGNED], fasta, table) == []
    return table


def test_proteins_make_genes_right_and_say_so(fasta, plain, proteins, reference, tmp_path):
    (file,), found = read_aligned(proteins)
    assert file.alignments == len(found) > 50
    assert min(p.quality for p in found) >= LEAST_QUALITY
    weighed = predict(fasta, tmp_path / "run", proteins=(proteins, PROTEIN_WEIGHTS))
    assert len(right(weighed, reference)) > len(right(plain, reference))
    lines = Path(weighed.gff3).read_text().splitlines()
    assert [line for line in lines if "evidence" in line] == [
        f"# evidence 1: {ALIGNED.name}, sha256 {sha256_of(ALIGNED)}, {len(found)} aligned proteins",
        f"# protein evidence weights: {sha256_of(PROTEIN_WEIGHTS)[:16]}",
    ]


FAA = ">p\nMKVLAAGH\n>q\nMKK\n"


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("p.faa", "", "it has no proteins"),
        ("p.faa", ">a\nATGGCN\n>b\nACGT\n", "it holds nucleotides"),
        ("p.faa", FAA + ">p\nMM\n", "line 5: protein 'p' was read before"),
        ("p.faa", FAA + ">r\n>s\nMM\n", "the protein 'r' has no residues"),
        ("p.faa", FAA + ">\nMM\n", "line 5: a '>' header without a name"),
        ("p.gff3", "##gff-version 3\n", "no protein is aligned in it"),
    ],
)
def test_proteins_that_are_no_evidence_stop_the_run_or_are_left_out(fasta, proteins, tmp_path, name, text, told):
    (tmp_path / name).write_text(text)
    files = [ALIGNED, tmp_path / name]
    with pytest.raises(PhytoScribeError, match=f"{name}.*{told}.*strict: false"):
        gather_proteins(files, fasta, tmp_path / "table.tsv")
    assert not (tmp_path / "table.tsv").exists()
    (warning,) = gather_proteins(files, fasta, tmp_path / "table.tsv", strict=False)
    assert warning.startswith(f"evidence is left out: {tmp_path / name}")
    assert read_aligned(tmp_path / "table.tsv")[1] == read_aligned(proteins)[1]


def test_alignments_to_another_assembly_with_the_same_names_are_refused(fasta, tmp_path):
    """Everything lies 100 bp further in it."""
    shifted = tmp_path / "shifted.fa"
    with Genome(fasta) as genome:
        text = {contig: decode(genome.bases(contig)) for contig in genome.contigs}
    shifted.write_text("".join(f">{contig}\n{sequence[-100:]}{sequence}\n" for contig, sequence in text.items()))
    write_index(shifted, tmp_path / "shifted.fa.fai")
    with pytest.raises(PhytoScribeError, match="% of its introns and stop codons are such in the FASTA"):
        gather_proteins([ALIGNED], shifted, tmp_path / "table.tsv")


def test_a_missing_miniprot_is_named_whatever_strict_says(fasta, tmp_path, monkeypatch):
    (tmp_path / "p.faa").write_text(FAA)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"miniprot is not on PATH, .*bioconda::miniprot"):
        gather_proteins([tmp_path / "p.faa"], fasta, tmp_path / "table.tsv", strict=False)
