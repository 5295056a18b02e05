"""Scores without a reference: right on real genes, a warning for each kind of trouble, and the same bytes each time."""

from __future__ import annotations

import itertools
import json
import os
import random
import stat
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gene_models import annotations, contig_tables
from hypothesis import given, settings
from hypothesis import strategies as st

from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, Transcript, first_transcripts, sort_genes
from phytoscribe.configuration.result_files import RELATED_SPECIES as SHIPPED
from phytoscribe.errors import ConfigError, PhytoScribeError, ToolError
from phytoscribe.evaluation.quality import predicted_genome as content_module
from phytoscribe.evaluation.quality.busco import read_summary, run_busco
from phytoscribe.evaluation.quality.checks import INFO, OK, WARNING, plausibility, write_plausibility
from phytoscribe.evaluation.quality.gene_shapes import (
    QUANTITIES,
    Related,
    measured,
    read_shapes,
    shape_table,
)
from phytoscribe.evaluation.quality.predicted_genome import (
    Content,
    Desert,
    Prediction,
    Repeats,
    SequenceFacts,
    genome_content,
    read_prediction,
    sequence_facts,
)
from phytoscribe.genome import Genome, check_fasta, decode
from phytoscribe.genome.fasta import write_index
from phytoscribe.tables import PLAUSIBILITY, read_table, write_table
from phytoscribe.tables import SHAPES as SHAPE_COLUMNS

ROOT = Path(__file__).parents[4]
BUSCO_SUMMARY = ROOT / "tests/data/busco/short_summary.specific.brassicales_odb12.example.json"


@pytest.fixture(scope="module")
def related() -> Related:
    return Related.of(read_shapes([SHIPPED]), "mine", "Brassicales")


@pytest.fixture(scope="module")
def real(arabidopsis_fasta, arabidopsis_genes) -> Prediction:
    """The example's accepted annotation in the place of a prediction."""
    scored = [replace(gene, score=0.9) for gene in arabidopsis_genes]
    with Genome(arabidopsis_fasta) as genome:
        contigs = genome.contigs
        facts, content = sequence_facts(scored, genome), genome_content(scored, genome, list(contigs))
    return Prediction(scored, facts, content, sum(contigs.values()), {})


def verdicts(prediction: Prediction, related: Related, **more) -> dict[str, str]:
    return {row.name: row.verdict for row in plausibility(prediction, related, **more)}


def warned(prediction: Prediction, related: Related, **more) -> dict[str, str]:
    """Notes of the rows with a warning, by name."""
    return {r.name: r.note for r in plausibility(prediction, related, **more) if r.verdict == WARNING}


def test_real_genes_of_a_plant_give_no_warning(real, related):
    assert warned(real, related) == {}
    found = Counter(verdicts(real, related).values())
    assert found[OK] >= 20, "and most figures have been judged"


def test_facts_of_real_genes(real):
    facts = real.facts
    assert facts.genes == facts.complete == len(real.genes)
    assert facts.in_frame_stop == 0
    assert sum(facts.splice_sites.values()) == sum(len(gene.representative.cds_introns) for gene in real.genes)
    assert 0.98 < facts.splice_sites["GT-AG"] / sum(facts.splice_sites.values()) < 1
    assert sum(facts.stop_codons.values()) == facts.genes


def test_genes_that_lie_a_base_off_are_seen(arabidopsis_fasta, arabidopsis_genes, real, related):
    genes = [gene.shifted(1) for gene in arabidopsis_genes]
    with Genome(arabidopsis_fasta) as genome:
        facts = sequence_facts(genes, genome)
    assert facts.complete < 0.02 * facts.genes
    assert facts.splice_sites["GT-AG"] < 0.1 * sum(facts.splice_sites.values())
    found = warned(replace(real, facts=facts), related)
    assert {"complete", "in_frame_stop", "GT-AG", "other"} <= found.keys()
    assert "GFF3 and FASTA" in found["in_frame_stop"]


def test_facts_do_not_depend_on_order(arabidopsis_fasta, real):
    shuffled = list(real.genes)
    random.Random(1).shuffle(shuffled)
    with Genome(arabidopsis_fasta) as genome:
        assert sequence_facts(shuffled, genome) == real.facts
        assert genome_content(shuffled, genome, list(genome.contigs)) == real.content


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_shapes_are_the_same_on_the_other_strand_and_in_any_order(data):
    contigs = data.draw(contig_tables())
    genes = data.draw(annotations(contigs))
    mirrored = [gene.reverse_complement(contigs[gene.contig]) for gene in genes]
    left, right = measured(genes), measured(data.draw(st.permutations(mirrored)))
    for quantity in QUANTITIES:
        np.testing.assert_array_equal(np.sort(left[quantity]), np.sort(right[quantity]))
    coding = [gene for gene in genes if gene.coding_transcripts]
    assert left["cds_length"].size == len(coding)
    assert left["cds_exon_length"].sum() == left["cds_length"].sum()
    assert left["gene_length"].sum() == left["cds_length"].sum() + left["intron_length"].sum()


def random_genome(folder: Path, contigs: dict[str, int], seed: int) -> Path:
    """A FASTA of these contigs with N and lower case in stretches."""
    generator = random.Random(seed)
    records = []
    for name, length in contigs.items():
        text = ""
        while len(text) < length:
            text += "".join(generator.choices(generator.choice(["ACGT", "acgt", "N"]), k=generator.randint(1, 80)))
        records.append(f">{name}\n{text[:length]}\n")
    (folder / "source.fa").write_text("".join(records))
    check_fasta(folder / "source.fa", folder / "g.fa")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    return folder / "g.fa"


@settings(deadline=None, max_examples=25)
@given(st.data(), st.integers(0, 99))
def test_content_is_what_counting_base_by_base_gives(tmp_path_factory, data, seed):
    contigs = data.draw(st.dictionaries(st.sampled_from("abc"), st.integers(60, 900), min_size=1))
    genes = data.draw(annotations(contigs))
    stretch = st.tuples(st.integers(0, 900), st.integers(1, 90)).map(lambda pair: (pair[0], pair[0] + pair[1]))
    intervals = data.draw(st.dictionaries(st.sampled_from(sorted(contigs)), st.lists(stretch, max_size=5)))
    repeats = Repeats(intervals)
    with pytest.MonkeyPatch.context() as patch, Genome(random_genome(tmp_path_factory.mktemp("g"), contigs, seed)) as g:
        patch.setattr(content_module, "PIECE", 64)
        patch.setattr(content_module, "LONG_CONTIG", 300)
        patch.setattr(content_module, "SHORTEST_DESERT", 40)
        patch.setattr(content_module, "DESERT_SPACINGS", 0)
        found = genome_content(genes, g, list(contigs), repeats)
        letters = {name: g.letters(name).decode() for name in contigs}
        facts = sequence_facts(genes, g, repeats)
    coding, spanned = set(), set()
    for gene in genes:
        segments = [segment for transcript in gene.coding_transcripts for segment in transcript.cds]
        coding |= {(gene.contig, base) for segment in segments for base in range(*segment)}
        ends = [end for segment in segments for end in segment]
        spanned |= {(gene.contig, base) for base in range(min(ends), max(ends))} if ends else set()
    text = "".join(letters.values())
    assert (found.bases, found.gap_bases) == (len(text), text.count("N"))
    repeated = {
        (contig, base)
        for contig, bases in letters.items()
        for base, letter in enumerate(bases)
        if letter != "N" and (letter.islower() or any(s <= base < e for s, e in intervals.get(contig, ())))
    }
    assert found.masked_bases == len(repeated)
    assert (found.cds_bases, found.gene_bases) == (len(coding), len(spanned))
    occupied = {contig for contig, _ in spanned}
    assert set(found.empty_contigs) == {c for c in contigs if contigs[c] >= 300 and c not in occupied}
    for desert in found.deserts:
        stretch = range(desert.start, desert.end)
        assert not any((desert.contig, base) in spanned for base in stretch)
        assert desert.bases == sum(letters[desert.contig][base] != "N" for base in stretch) >= 40
    masked = sum(
        (gene.contig, base) in repeated
        for gene in genes
        if (transcript := gene.representative)
        for start, end in transcript.cds
        for base in range(start, end)
    )
    assert facts.masked_cds_bases == masked


def gene_at(number: int, contig: str = "c", exons: int = 5, score: float | None = 0.9) -> GeneModel:
    """A gene every 9 kb; with five segments its lengths are usual ones."""
    cds, end = [], 9_000 * number
    for length in itertools.islice(itertools.cycle([120, 120, 132, 138, 510]), exons):
        cds.append((end, end + length))
        end += length + 100
    return GeneModel(f"g{number}", contig, "+", (Transcript(f"t{number}", tuple(cds), tuple(cds)),), score=score)


def usual(count: int = 1000, **changes) -> Prediction:
    """A prediction in which nothing is unusual, with these facts changed."""
    genes = changes.pop("genes", [gene_at(number) for number in range(count)])
    introns = {"GT-AG": 4 * count - 40, "GC-AG": 40}
    stops = {"TGA": count // 2, "TAA": count // 4, "TAG": count - count // 2 - count // 4}
    facts = SequenceFacts(
        genes=count,
        complete=count,
        stop_codons=Counter(stops),
        splice_sites=Counter(introns),
        cds_bases=1200 * count,
        masked_cds_bases=40 * count,
    )
    content = Content(5_000_000, 100_000, 900_000, 1_200_000, 1_500_000, 4_900_000, (), ())
    organelles = changes.pop("organelles", {})
    for name, value in changes.items():
        if name in Content.__dataclass_fields__:
            content = replace(content, **{name: value})
        else:
            setattr(facts, name, value)
    return Prediction(genes, facts, content, 5_000_000, organelles)


#: What is wrong, the rows that say so, and a word of advice in their notes.
TROUBLES = [
    ({"complete": 900}, {"complete"}, "GFF3 and FASTA"),
    ({"in_frame_stop": 3}, {"in_frame_stop"}, "genetic code"),
    ({"stop_codons": Counter(TGA=990, TAA=10)}, {"stop_codon_TGA", "stop_codon_TAG", "stop_codon_TAA"}, "stop codons"),
    ({"splice_sites": Counter({"GT-AG": 3700, "GC-AG": 300})}, {"GT-AG", "GC-AG"}, "splice sites"),
    ({"splice_sites": Counter({"GT-AG": 3990, "other": 10})}, {"other"}, "splice sites"),
    ({"genes": [gene_at(n, exons=1 if n % 2 else 9) for n in range(1000)]}, {"single_exon_genes"}, "transposons"),
    ({"genes": [gene_at(n, exons=3) for n in range(1000)]}, {"cds_exons.mean"}, "shorter than in related"),
    ({"genes": [gene_at(n, exons=12) for n in range(1000)]}, {"protein_length.median"}, "joined to one"),
    ({"bases": 2_000_000}, {"genes_per_megabase"}, "flood"),
    ({"bases": 2_000_000_000}, {"genes_per_megabase"}, "hardly any genes"),
    ({"cds_bases": 3_000_000}, {"coding_bases"}, "false genes"),
    ({"deserts": (Desert("c", 9, 2_000_009, 2_000_000),)}, {"gene_deserts"}, "c:10-2000009"),
    ({"empty_contigs": ("x", "y")}, {"long_contigs_without_genes"}, "x, y"),
    ({"in_repeats": 200}, {"genes_in_repeats"}, "transposons"),
    ({"over_gap": 100}, {"genes_over_gaps"}, "assembly"),
    ({"genes": [gene_at(n, score=0.3) for n in range(1000)]}, {"doubtful_genes"}, "annotated relative"),
    ({"organelles": {"c": "chloroplast"}}, {"genes"}, "organelles"),
]


@pytest.mark.parametrize(("changes", "names", "word"), TROUBLES, ids=[word for _, _, word in TROUBLES])
def test_each_kind_of_trouble_is_told_with_what_to_do(changes, names, word, related):
    assert warned(usual(), related) == {}
    found = warned(usual(**changes), related)
    assert names <= found.keys()
    assert all(word in found[name] for name in names)


def test_short_proteins_and_skewed_stops_together_mean_another_code(related):
    stops = Counter(TGA=20, TAA=80, TAG=900)
    found = warned(usual(stop_codons=stops, genes=[gene_at(n, exons=2) for n in range(1000)]), related)
    assert "codes for an amino acid here" in found["stop_codon_TAG"]
    alone = warned(usual(stop_codons=stops), related)
    assert "codes for an amino acid here" not in alone["stop_codon_TAG"]


def test_a_genome_all_in_lower_case_says_nothing_of_repeats(related):
    small = usual(masked_bases=4_900_000, in_repeats=1000)
    assert warned(small, related) == {}
    rows = {row.name: row for row in plausibility(small, related)}
    assert (rows["genes_in_repeats"].verdict, rows["repeats_of_genome"].value) == (INFO, 1)
    assert "nearly the whole FASTA is in lower case" in rows["genes_in_repeats"].note


def test_little_sequence_is_not_judged(related):
    few = Prediction([gene_at(0, exons=1)], SequenceFacts(genes=1), Content(9000, 0, 0, 240, 240, 0, (), ()), 9000, {})
    found = verdicts(few, related)
    assert WARNING not in found.values()
    assert found["single_exon_genes"] == found["complete"] == found["genes_per_megabase"] == INFO


@pytest.mark.parametrize("bases", [0, 3_000_000])
def test_no_genes_at_all_give_a_table(bases, related, tmp_path):
    empty = tuple(["c"] if bases else [])
    prediction = Prediction([], SequenceFacts(), Content(bases, 0, 0, 0, 0, bases, (), empty), bases, {})
    write_plausibility(plausibility(prediction, related), tmp_path / "p.tsv")
    table = read_table(tmp_path / "p.tsv", PLAUSIBILITY).set_index("name")
    assert table.loc["protein_length.median", "value"] == ""
    assert table.loc["genes_per_megabase", "verdict"] == (WARNING if bases else INFO)


def test_the_table_has_its_columns_and_comes_back(real, related, tmp_path):
    rows = plausibility(real, related, read_summary(BUSCO_SUMMARY))
    for name in ("a.tsv", "b.tsv"):
        write_plausibility(rows, tmp_path / name)
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()
    table = read_table(tmp_path / "a.tsv", {**PLAUSIBILITY, "value": float})
    assert list(table.columns) == list(PLAUSIBILITY)
    assert set(table["verdict"]) <= {OK, WARNING, INFO}
    assert not table.duplicated(["group", "name"]).any()
    np.testing.assert_allclose(table["value"], [row.value for row in rows], rtol=1e-5)
    assert table.loc[table["name"] == "genes", "value"].iloc[0] == len(real.genes)
    (tmp_path / "a.tsv").write_text("x\ty\n1\t2\n")
    with pytest.raises(PhytoScribeError, match=r"a\.tsv: column group, name, .* is missing"):
        read_table(tmp_path / "a.tsv", PLAUSIBILITY)


def test_a_prediction_is_read_from_its_files(arabidopsis_fasta, arabidopsis_genes, tmp_path):
    with Genome(arabidopsis_fasta) as genome:
        contigs = genome.contigs
    chosen = [gene for gene in sort_genes(arabidopsis_genes, contigs) if gene.contig in ("Chr5", "Chr4")]
    rna = GeneModel("rna", "Chr4", "+", (Transcript("rna.1", ((0, 300),), type="ncRNA"),), biotype="ncRNA", score=0.1)
    with (tmp_path / "p.gff3").open("w") as handle:
        write_gff3(handle, [rna, *chosen], contigs)
    found = read_prediction(tmp_path / "p.gff3", arabidopsis_fasta, ["Chr5", "Chr4"], ["Chr4"])
    assert [gene.id for gene in found.genes] == [gene.id for gene in chosen], "the gene of an RNA is not counted"
    assert found.facts.genes == len(chosen)
    assert found.content.bases == contigs["Chr4"] + contigs["Chr5"] < found.genome_bases
    assert found.organelles == {"Chr4": "organelle"}


def test_isoforms_beside_the_first_transcript_change_no_figure(arabidopsis_fasta, arabidopsis_genes, tmp_path, related):
    with Genome(arabidopsis_fasta) as genome:
        contigs = genome.contigs
    genes = sort_genes([gene for gene in arabidopsis_genes if gene.contig in ("Chr4", "Chr5")], contigs)
    # The annotation's order is by name: its first transcripts are not always the longest.
    first = first_transcripts(genes)
    assert sum(gene.transcripts[0] is not gene.representative for gene in genes) > 5
    found = {}
    for name, written in (("all", genes), ("one", first)):
        with (tmp_path / f"{name}.gff3").open("w") as handle:
            write_gff3(handle, written, contigs)
        prediction = read_prediction(tmp_path / f"{name}.gff3", arabidopsis_fasta, ["Chr4", "Chr5"], [])
        found[name] = list(plausibility(prediction, related))
    assert str(found["all"]) == str(found["one"])  # nan differs from itself


SHAPES = pd.concat(
    [
        shape_table(measured([gene_at(0, exons=exons), gene_at(1)]), name, lineage)
        for name, lineage, exons in (("rice", "Poales", 2), ("cress", "Brassicales", 4), ("rape", "Brassicales", 6))
    ],
    ignore_index=True,
)


def test_relatives_are_of_the_same_lineage_where_there_are_any_and_never_the_genome_itself():
    assert Related.of(SHAPES, "kale", "Brassicales").species == ["cress", "rape"]
    assert Related.of(SHAPES, "cress", "Brassicales").species == ["rape"]
    again = SHAPES.assign(median=1.0)  # of what ships, where the configuration has the species itself
    both = Related.of(pd.concat([SHAPES, again]), "kale", "Brassicales")
    pd.testing.assert_frame_equal(both.nearest(), Related.of(SHAPES, "kale", "Brassicales").nearest())
    assert verdicts(usual(), both) == verdicts(usual(), Related.of(SHAPES, "kale", "Brassicales"))
    far = Related.of(SHAPES, "oak", "Fagales")
    assert far.species == ["rice", "cress", "rape"]
    near = Related.of(SHAPES, "wheat", "Poales")
    low, high = near.range_of("protein_length", "median")
    far_low, far_high = far.range_of("protein_length", "median")
    assert far_low < low < high < far_high, "of other lineages less is known"
    nothing = Related.of(SHAPES[:0], "oak", "Fagales")
    assert nothing.nearest() is None
    assert nothing.range_of("protein_length", "median") == (None, None)
    assert warned(usual(), nothing) == {}


def test_shapes_come_back_from_their_files_and_those_that_ship_are_sound(tmp_path):
    write_table(SHAPES, tmp_path / "s.tsv", SHAPE_COLUMNS, decimals=4)
    pd.testing.assert_frame_equal(read_shapes([tmp_path / "s.tsv"]), SHAPES, check_dtype=False, atol=1e-4)
    shipped = read_shapes([SHIPPED])
    assert list(shipped.columns) == list(SHAPE_COLUMNS)
    assert (shipped["n"] > 5_000).all()
    quantiles = shipped[shipped["quantity"].isin(list(QUANTITIES))].loc[:, "q05":"q95"].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    with pytest.raises(PhytoScribeError, match=r"missing\.tsv: no table"):
        read_shapes([tmp_path / "missing.tsv"])


def test_busco_is_read_and_judged_only_for_a_whole_genome(related):
    found = read_summary(BUSCO_SUMMARY)
    assert found["complete"] == pytest.approx(found["single_copy"] + found["duplicated"])
    assert found["complete"] + found["fragmented"] + found["missing"] == pytest.approx(100)
    assert found["searched"] == 4496
    low = {**found, "complete": 60.0}
    assert "complete" in warned(usual(), related, busco=low)
    part = replace(usual(), genome_bases=50_000_000)
    rows = {row.name: row for row in plausibility(part, related, low) if row.group == "busco"}
    assert rows["complete"].verdict == INFO
    assert "only part of the genome" in rows["complete"].note


@pytest.mark.parametrize("text", ["", "[]", '{"results": {}}', '{"results": {"Complete percentage": "x"}}'])
def test_what_is_no_summary_of_busco_is_refused(tmp_path, text):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(ToolError, match=r"s\.json: no JSON summary of BUSCO 5\.4 or later"):
        read_summary(tmp_path / "s.json")


STAND_IN = """#!/usr/bin/env python3
import pathlib, shutil, sys
given = sys.argv[1:]
option = lambda name: given[given.index(name) + 1]
assert option("--mode") == "proteins" and "--offline" in given, given
proteins = pathlib.Path(option("--in")).read_text()
assert proteins == ">g1.t1 gene=g1\\nMK*\\n>g2.t1 gene=g2\\nMP\\nL*\\n", "isoforms would count as duplicated genes"
folder = pathlib.Path(option("--out_path")) / option("--out")
folder.mkdir(parents=True)
name = f"short_summary.specific.{pathlib.Path(option('--lineage_dataset')).name}.{option('--out')}.json"
shutil.copy("SUMMARY", folder / name)
"""


def test_busco_is_called_without_the_network_and_its_summary_kept(tmp_path, monkeypatch):
    """With a stand-in for the program, which needs a lineage of hundreds of megabytes."""
    program = tmp_path / "bin/busco"
    program.parent.mkdir()
    program.write_text(STAND_IN.replace("SUMMARY", str(BUSCO_SUMMARY)))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    lineage, proteins = tmp_path / "brassicales_odb12", tmp_path / "p.faa"
    proteins.write_text(">g1.t1 gene=g1\nMK*\n>g1.t2 gene=g1\nMKK*\n>g2.t1 gene=g2\nMP\nL*\n>g2.t11 gene=g2\nMK*\n")
    with pytest.raises(ConfigError, match=r"no unpacked BUSCO lineage \(it has no dataset\.cfg\)"):
        run_busco(proteins, lineage, "mine", 1, tmp_path / "s.json")
    lineage.mkdir()
    (lineage / "dataset.cfg").touch()
    run_busco(proteins, lineage, "mine", 1, tmp_path / "s.json")
    assert json.loads((tmp_path / "s.json").read_text()) == json.loads(BUSCO_SUMMARY.read_text())


def test_letters_keep_their_case(tmp_path):
    with Genome(random_genome(tmp_path, {"a": 500}, 3)) as genome:
        letters = genome.letters("a", 17, 400).decode()
        assert letters.upper() == decode(genome.bases("a", 17, 400))
        assert letters != letters.upper()
        assert genome.letters("a", 5, 5) == b""
