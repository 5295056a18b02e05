"""Reads as evidence, from files to GFF3: what is gathered, what is refused, and what it changes in a prediction."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from evidence_predictions import LONG, RELEASED, SETTINGS, SHORT, WEIGHTS, merge, predict, right

from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.errors import ModelError, PhytoScribeError
from phytoscribe.files import sha256_of
from phytoscribe.genome import Genome, decode
from phytoscribe.genome.junction_table import read_gathered, read_table, write_table
from phytoscribe.genome.spliced_reads import strand_by_motif
from phytoscribe.models.loading import model_hash
from phytoscribe.prediction import judged_evidence
from phytoscribe.prediction.gathered_evidence import gather_evidence
from phytoscribe.prediction.judged_evidence import judge_evidence
from phytoscribe.prediction.merge import PredictionFiles
from phytoscribe.prediction.windows import PredictionSettings


@pytest.fixture(scope="module")
def junctions(annotated, two_contigs) -> Counter:
    """Annotated introns with numbers of reads that are all different."""
    found = dict.fromkeys(
        (gene.contig, gene.strand, i) for gene in annotated for t in gene.transcripts for i in t.introns
    )
    with Genome(two_contigs) as genome:
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


def gathered(folder: Path, two_contigs: Path, **texts: str) -> Path:
    """The table of files with these contents."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    gather_evidence([folder / name for name in texts], None, two_contigs, folder / "gathered.tsv")
    return folder / "gathered.tsv"


def judge(gathered: Path, two_contigs: Path, **options: bool) -> tuple[Path, list[str]]:
    """The table of what agrees with the network, and the warnings."""
    settings = PredictionSettings(**{name: SETTINGS[name] for name in PredictionSettings.__slots__})
    table = gathered.with_name("table.tsv")
    return table, judge_evidence(
        gathered, two_contigs, RELEASED, settings, "athaliana", "Brassicales", table, **options
    )


@pytest.fixture(scope="module")
def table(junctions, two_contigs, tmp_path_factory) -> Path:
    """Of the annotated introns; so few judge nothing."""
    return judge(gathered(tmp_path_factory.mktemp("evidence"), two_contigs, SJ=star(junctions)), two_contigs)[0]


def moved(junctions: Counter, two_contigs: Path, share: float) -> Counter:
    """A share of the junctions at other places with the ends of an intron."""
    generator, found = np.random.default_rng(3), Counter()
    with Genome(two_contigs) as genome:
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


def test_formats_give_one_table_and_files_are_added_up(junctions, two_contigs, table, tmp_path):
    files, rows = read_table(table)
    assert [str(file) for file in files] == [
        f"SJ, sha256 {sha256_of(table.parent / 'SJ')}, {junctions.total()} reads on {len(junctions)} junctions"
    ]
    assert rows["reads"].sum() == junctions.total()
    assert rows["start"].is_monotonic_increasing
    for number, text in enumerate((bed12(junctions), hints(junctions))):
        assert (
            read_gathered(gathered(tmp_path / str(number), two_contigs, one=text))[1].drop(columns="file").equals(rows)
        )
    both = read_table(
        judge(gathered(tmp_path / "both", two_contigs, one=star(junctions), two=bed12(junctions)), two_contigs)[0]
    )[1]
    assert (both["reads"] == 2 * rows["reads"]).all()


def test_introns_without_splice_sites_are_left_out(junctions, two_contigs, table, tmp_path):
    shifted = {(c, s, (start + 1, end + 1)): 3 for c, s, (start, end) in list(junctions)[:20]}
    rows = read_gathered(gathered(tmp_path, two_contigs, one=star(junctions) + star(shifted)))[1]
    assert len(rows) < len(junctions) + 5


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda found: "", "it has no junctions"),
        (lambda found: star(dict.fromkeys(found, 0)), "no read splices a junction"),
        (lambda found: star(found).replace(LONG[0], "Chr9"), "the contig 'Chr9' is not in the FASTA"),
        (lambda found: star({(c, "+-"[s == "+"], i): n for (c, s, i), n in found.items()}), "only 0 % of its reads"),
        (
            lambda found: hints({(c, s, (a + 7, b + 7)): 1 for c, s, (a, b) in list(found)[:2]}),
            "none of its 2 junctions has a strand or splice sites that show it",
        ),
        (
            lambda found: star({(c, s, (a + 7, b + 7)): n for (c, s, (a, b)), n in found.items()}),
            "do not belong to this genome",
        ),
    ],
    ids=["empty", "no reads", "other names", "wrong strands", "no strands", "another assembly"],
)
def test_a_file_that_is_no_evidence_stops_the_run_or_is_left_out_with_a_warning(
    junctions, two_contigs, table, tmp_path, change, told
):
    bad, good = tmp_path / "bad", tmp_path / "good"
    bad.write_text(change(junctions))
    good.write_text(star(junctions))
    with pytest.raises(PhytoScribeError, match=f"{told}.*strict: false"):
        gather_evidence([good, bad], None, two_contigs, tmp_path / "table.tsv")
    assert not (tmp_path / "table.tsv").exists()
    (warning,) = gather_evidence([good, bad], None, two_contigs, tmp_path / "table.tsv", strict=False)
    assert warning.startswith(f"evidence is left out: {bad}")
    files, rows = read_gathered(tmp_path / "table.tsv")
    assert rows.drop(columns="file").equals(read_table(table)[1])
    assert told in str(files[1])
    assert str(tmp_path) not in str(files[1])


def test_alignments_that_cannot_be_read_contig_by_contig_are_left_out_in_the_same_way(junctions, two_contigs, tmp_path):
    bad, good = tmp_path / "reads.sam", tmp_path / "SJ"
    bad.write_text(f"@SQ\tSN:{SHORT[0]}\tLN:{SHORT[1]}\n")
    good.write_text(star(junctions))
    with pytest.raises(PhytoScribeError, match=r"reads.sam: .*samtools sort -o .*strict: false"):
        gather_evidence([good, bad], None, two_contigs, tmp_path / "table.tsv")
    (warning,) = gather_evidence([good, bad], None, two_contigs, tmp_path / "table.tsv", strict=False)
    assert warning.startswith(f"evidence is left out: {bad}: it is plain SAM")


def test_a_file_whose_introns_lie_where_the_network_sees_none_stops_the_run_or_is_left_out(
    junctions, two_contigs, table, tmp_path, monkeypatch
):
    monkeypatch.setattr(judged_evidence, "LEAST_JUDGED", 20)
    right, wrong = star(junctions), star(moved(junctions, two_contigs, 0.7))
    assert not judge(gathered(tmp_path / "right", two_contigs, one=right), two_contigs)[1]
    both = gathered(tmp_path / "both", two_contigs, one=right, two=wrong)
    with pytest.raises(PhytoScribeError, match=r"two: only \d\d % of its well supported introns.*strict: false"):
        judge(both, two_contigs)
    assert not (tmp_path / "both/table.tsv").exists()
    assert not judge(both, two_contigs, judge=False)[1]
    assert read_table(tmp_path / "both/table.tsv")[1]["reads"].sum() == 2 * junctions.total()
    used, (warning,) = judge(both, two_contigs, strict=False)
    assert warning.startswith("evidence is left out: two: only")
    files, rows = read_table(used)
    assert rows.equals(read_table(table)[1])
    assert "left out" in str(files[1])
    assert "left out" not in str(files[0])


@pytest.fixture(scope="module")
def weighed(two_contigs, table, tmp_path_factory) -> PredictionFiles:
    return predict(two_contigs, tmp_path_factory.mktemp("weighed") / "run", (table, WEIGHTS))


def test_evidence_makes_genes_right_and_says_so(from_dna, weighed, annotated, junctions):
    assert len(right(weighed, annotated)) > len(right(from_dna, annotated)) > 5
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


def test_a_contig_without_reads_is_as_from_dna(from_dna, weighed):
    names = ("cds", "exons")
    alone, beside = (
        [
            [getattr(t, name) for name in names]
            for g in read_gff3(files.gff3)
            if g.contig == SHORT[0]
            for t in g.transcripts
        ]
        for files in (from_dna, weighed)
    )
    assert alone == beside != []


def test_shards_threads_and_a_comparison_change_no_byte_of_either_prediction(
    two_contigs, table, weighed, from_dna, tmp_path
):
    """The comparison gives what a prediction without evidence gives."""
    other = predict(two_contigs, tmp_path / "run", (table, WEIGHTS), shards=2, threads=3, compared=True)
    alone = merge(two_contigs, tmp_path / "run", from_dna=True)
    for found, expected in ((other, weighed), (alone, from_dna)):
        for name in PredictionFiles.__slots__:
            assert Path(getattr(found, name)).read_bytes() == Path(getattr(expected, name)).read_bytes(), name


def test_shards_without_a_comparison_have_no_genes_from_dna_alone(two_contigs, weighed):
    with pytest.raises(PhytoScribeError, match=r"the shards lack 2 contigs, first .*; delete them and run again"):
        merge(two_contigs, Path(weighed.gff3).parent, from_dna=True)


def test_evidence_of_nothing_is_dna_alone(two_contigs, from_dna, tmp_path):
    """As where all files were left out: but for the header, every byte."""
    write_table(tmp_path / "table.tsv", [], {}, [LONG[0]])
    other = predict(two_contigs, tmp_path / "run", (tmp_path / "table.tsv", WEIGHTS))
    found = [
        [line for line in Path(files.gff3).read_text().splitlines() if not line.startswith("# evidence")]
        for files in (from_dna, other)
    ]
    assert found[0] == found[1]


def test_false_junctions_of_one_read_leave_right_genes_as_they_are(two_contigs, from_dna, annotated, tmp_path):
    """One of the same strand and one antisense in every gene that DNA has right, with the ends of introns."""
    generator, false = np.random.default_rng(0), {}
    with Genome(two_contigs) as genome:
        text = decode(genome.bases(LONG[0]))
    known = right(from_dna, annotated)
    for _, cds in sorted(known):
        for strand, opening, closing in (("+", "GT", "AG"), ("-", "CT", "AC")):
            lefts = [k for k in range(cds[0][0] + 4, cds[-1][1] - 60) if text[k : k + 2] == opening]
            left = int(generator.choice(lefts))
            rights = [k for k in range(left + 50, cds[-1][1]) if text[k - 2 : k] == closing]
            if rights:
                false[LONG[0], strand, (left, int(generator.choice(rights)))] = 1
    assert len(false) > 8
    write_table(tmp_path / "table.tsv", [], false, [LONG[0]])
    found = right(predict(two_contigs, tmp_path / "run", (tmp_path / "table.tsv", WEIGHTS)), annotated)
    assert known <= found


def test_weights_of_another_model_are_refused(two_contigs, table, tmp_path):
    values = json.loads(WEIGHTS.read_text())
    assert values["model"] == model_hash(RELEASED)
    (tmp_path / "evidence.json").write_text(json.dumps(values | {"model": "another"}))
    with pytest.raises(ModelError, match="fitted for model another"):
        predict(two_contigs, tmp_path / "run", (table, tmp_path / "evidence.json"))
    shutil.copy(table, tmp_path / "table.tsv")
    (tmp_path / "table.tsv").write_text((tmp_path / "table.tsv").read_text().replace("contig\t", "chrom\t", 1))
    with pytest.raises(PhytoScribeError, match=r"table.tsv: no table of junctions \(its columns are chrom"):
        predict(two_contigs, tmp_path / "run2", (tmp_path / "table.tsv", WEIGHTS))
