"""The leakage table: zero where it must be on real genes in both modes, and not blind to leaks put in by hand."""

import numpy as np
import pandas as pd
import pytest

from phytoscribe.errors import FastaError, ToolError
from phytoscribe.genome.fasta import Genome, read_index, write_index
from phytoscribe.splits.assign import assign_splits, extract_proteins, protein_id, with_clusters
from phytoscribe.splits.clusters import ClusterSettings, cluster_proteins, read_proteins
from phytoscribe.splits.leakage import (
    best_hits,
    broken_promises,
    held_out_and_train,
    held_out_loci,
    leakage_table,
    nucleotide_hits,
    training_sequence,
)
from phytoscribe.splits.parts import parts_of_genome
from phytoscribe.splits.table import SPLIT_COLUMNS, read_table, write_table

NAME = "athaliana"
ROLES = {NAME: "train"}
VALIDATE = ["Chr2", "Chr3", "Chr4", "Chr3_1065466_1464870"]
TEST = ["Chr5", "Chr5_25975502_26975502"]
CONTIG_PARTS = {NAME: dict.fromkeys(VALIDATE, "validate") | dict.fromkeys(TEST, "test")}
FRACTIONS = {"train": 75, "validate": 10, "test": 15}


@pytest.fixture(scope="module")
def chain(arabidopsis_fasta, arabidopsis_genes):
    """Proteins and clustered loci of the example's genes on all but its largest contig."""
    genes = [gene for gene in arabidopsis_genes if gene.contig != "Chr1"]
    with Genome(arabidopsis_fasta) as genome:
        proteins, loci = extract_proteins(NAME, genes, genome)
    clusters = cluster_proteins(proteins, ClusterSettings(), threads=2)
    return genes, proteins, with_clusters(loci, clusters), {NAME: read_index(f"{arabidopsis_fasta}.fai")}


def table_of(chain, mode, splits=None):
    _, proteins, loci, contigs = chain
    contig_parts = CONTIG_PARTS if mode == "contig" else {}
    if splits is None:
        splits = assign_splits(loci, mode, FRACTIONS, contig_parts, ROLES, seed=1)
    hits = best_hits(*held_out_and_train(splits, loci, proteins), threads=2)
    return splits, leakage_table(splits, loci, hits, parts_of(splits, mode, ROLES, contigs, contig_parts, 500), set())


def parts_of(splits, mode, roles, contigs, contig_parts, flank):
    return {
        name: parts_of_genome(splits, name, lengths, roles[name], mode, contig_parts.get(name, {}), flank)
        for name, lengths in contigs.items()
    }


def value(table, check, part_a, part_b):
    row = table[(table["check"] == check) & (table["part_a"] == part_a) & (table["part_b"] == part_b)]
    return row["value"].item()


def test_every_gene_gives_one_protein_without_stops(chain):
    genes, proteins, loci, _ = chain
    assert sorted(loci["locus"]) == sorted(gene.id for gene in genes)
    assert all(sequence[0] == "M" and "*" not in sequence for _, sequence in proteins)
    longest = {gene.id: max(t.cds_length for t in gene.coding_transcripts) for gene in genes}
    assert all(row.protein_length * 3 + 3 == longest[row.locus] for row in loci.itertuples())
    spans = {gene.id: (gene.contig, gene.start, gene.end, gene.strand) for gene in genes}
    assert all(spans[row.locus] == (row.contig, row.start, row.end, row.strand) for row in loci.itertuples())


def test_cluster_mode_on_real_genes_has_nothing_on_two_sides(chain):
    splits, table = table_of(chain, "cluster")
    assert broken_promises(table, "cluster", ROLES) == []
    assert (splits.groupby("cluster")["part"].nunique() == 1).all()
    shares = splits["part"].value_counts(normalize=True)
    assert shares["train"] == pytest.approx(0.75, abs=0.01)
    assert shares["test"] == pytest.approx(0.15, abs=0.01)
    assert not splits["has_train_homologue"].any()


def test_contig_mode_on_real_genes_counts_straddlers_and_flags_test_genes(chain):
    splits, table = table_of(chain, "contig")
    assert broken_promises(table, "contig", ROLES) == []
    assert set(splits.loc[splits["part"] == "test", "contig"]) == set(TEST)
    straddling = value(table, "clusters_on_two_sides", "train", "test")
    flagged = splits[(splits["part"] == "test") & splits["has_train_homologue"]]
    assert 0 < straddling <= value(table, "loci_with_train_homologue", "test", "train") == len(flagged)
    train_clusters = set(splits.loc[splits["part"] == "train", "cluster"])
    assert set(flagged["cluster"]) <= train_clusters
    more = value(table, "loci_with_blastp_hit", "test", "train")
    assert more > len(flagged), "blastp is the more sensitive of the two"


def test_a_cluster_dealt_to_two_sides_is_reported(chain):
    splits, _ = table_of(chain, "cluster")
    sizes = splits["cluster"].value_counts()
    family = splits.index[splits["cluster"] == sizes.index[0]]
    leaky = splits.copy()
    leaky.loc[family[0], "part"] = "test" if splits["part"][family[0]] == "train" else "train"
    _, table = table_of(chain, "cluster", leaky)
    assert any(line.startswith("clusters_on_two_sides") for line in broken_promises(table, "cluster", ROLES))


def splits_of(rows):
    return pd.DataFrame([("g", "c", *row, False) for row in rows], columns=list(SPLIT_COLUMNS))


def small_table(splits, mode, contig_parts, flank=0):
    loci = splits.assign(protein=splits["locus"])
    hits = pd.DataFrame({"protein": []})
    parts = parts_of(splits, mode, {"g": "train"}, {"g": {"c": 1000}}, contig_parts, flank)
    return leakage_table(splits, loci, hits, parts, {("g", "b")})


def test_shared_bases_are_counted():
    splits = splits_of(
        [(0, 100, "+", "a", 0, "train"), (90, 200, "-", "b", 1, "test"), (190, 300, "+", "c", 2, "test")]
    )
    table = small_table(splits, "cluster", {})
    assert value(table, "bases_on_two_sides", "train", "test") == 10
    assert value(table, "loci_on_two_sides", "train", "test") == 1
    assert value(table, "held_out_bases_in_training", "test", "train") == 0
    assert len(broken_promises(table, "cluster", {"g": "train"})) == 2


def test_a_held_out_locus_that_training_sees_is_reported():
    """The split says test, but the contig list that masks training does not."""
    splits = splits_of([(0, 100, "+", "a", 0, "train"), (300, 420, "-", "b", 1, "test")])
    assert (
        value(small_table(splits, "contig", {"g": {"c": "test"}}), "held_out_bases_in_training", "test", "train") == 0
    )
    table = small_table(splits, "contig", {})
    assert value(table, "held_out_bases_in_training", "test", "train") == 120
    assert broken_promises(table, "contig", {"g": "train"})


def test_blastp_finds_what_is_alike_and_nothing_else(chain):
    _, proteins, _, _ = chain
    queries = [("same:x|y", proteins[0][1]), ("none", "MW" * 30), ("piece", proteins[1][1][: len(proteins[1][1]) // 3])]
    hits = best_hits(queries, proteins[:50])
    assert hits["protein"].tolist()[-1] == "same:x|y"
    assert hits["subject"].tolist()[-1] == proteins[0][0]
    assert "none" not in set(hits["protein"])
    assert best_hits([("whole", proteins[1][1])], [("third", queries[2][1])]).empty, "a third is less than half covered"
    assert best_hits([], proteins).empty
    assert best_hits(proteins[:20], proteins[20:60], threads=1).equals(best_hits(proteins[:20], proteins[20:60], 2))


def test_a_copy_of_a_held_out_locus_in_training_sequence_is_found(tmp_path):
    letters = np.random.default_rng(3).choice(list("ACGT"), 12_000)
    # "copy" (held out) stands again at 8000, reverse and with 5 % of its bases changed; "alone" stands nowhere else.
    copied = letters[1000:2200].copy()
    copied[::20] = "A"
    letters[8000:9200] = [dict(zip("ACGT", "TGCA"))[base] for base in copied[::-1]]
    (tmp_path / "g.fa").write_text(">c\n" + "".join(letters) + "\n")
    write_index(tmp_path / "g.fa", tmp_path / "g.fa.fai")
    splits = splits_of([(1100, 2100, "+", "copy", 0, "test"), (4000, 5000, "+", "alone", 1, "validate")])
    with Genome(tmp_path / "g.fa") as genome:
        parts = parts_of_genome(splits, "g", genome.contigs, "train", "cluster", {}, 100)
        loci, seen = list(held_out_loci(splits, "g", genome, 100)), list(training_sequence(genome, parts))
    assert [(key, len(bases)) for key, bases in loci] == [(("g", "copy"), 1200), (("g", "alone"), 1200)]
    assert [(name, len(bases)) for name, bases in seen] == [("c:0", 1000), ("c:2200", 1700), ("c:5100", 6900)]
    assert nucleotide_hits(loci, seen, 0.8, 0.5) == {("g", "copy")}
    assert nucleotide_hits(loci, seen, 0.99, 0.5) == set()
    assert nucleotide_hits(loci, seen[:2], 0.8, 0.5) == nucleotide_hits(loci, [], 0.8, 0.5) == set()
    half = [(name, bases[:3500]) for name, bases in seen[2:]]
    assert nucleotide_hits(loci, half, 0.8, 0.6) == set()
    table = small_table(splits_of([(0, 90, "+", "a", 0, "train"), (300, 420, "-", "b", 1, "test")]), "cluster", {})
    assert value(table, "loci_with_nucleotide_hit", "test", "train") == 1
    assert value(table, "loci_with_nucleotide_hit", "validate", "train") == 0


def test_a_missing_blast_is_one_message(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match=r"makeblastdb is not on PATH, .*; install it with .*ncbi-blast\+"):
        best_hits([("a", "MKV")], [("b", "MKV")])


def test_tables_survive_the_disk_with_odd_names(tmp_path):
    splits = splits_of([(0, 100, "+", "NA", 0, "train"), (300, 420, "-", "007", 1, "test")])
    splits.loc[1, "has_train_homologue"] = True
    write_table(tmp_path / "s.tsv", splits, SPLIT_COLUMNS)
    back = read_table(tmp_path / "s.tsv", SPLIT_COLUMNS)
    assert back["locus"].tolist() == ["NA", "007"]
    assert back["has_train_homologue"].tolist() == [False, True]
    assert back["start"].tolist() == [0, 300]


def test_protein_ids_hold_no_white_space_and_stay_distinct(tmp_path):
    assert protein_id("rice", "gene 1") == "rice:gene%201"
    assert protein_id("rice", "gene%201") != protein_id("rice", "gene 1")
    path = tmp_path / "p.faa"
    path.write_text(">rice:a\nMKV\nLL\n>rice:b\nMM\n")
    assert read_proteins([path]) == [("rice:a", "MKVLL"), ("rice:b", "MM")]
    with pytest.raises(FastaError, match="'rice:a' was read before"):
        read_proteins([path, path])
