"""From genes to heads to a table: genes with a planted motif are learned, a stopped run goes on bit for bit."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from heads_cnn import DeepCreCnn

from phytoscribe.annotation.gene_database import GeneDatabase, write_gene_database
from phytoscribe.annotation.gff_writer import write_gff3
from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.errors import ModelError, PhytoScribeError
from phytoscribe.expression.examples import Examples, GenomeFiles, read_examples
from phytoscribe.expression.window_table import divided, windows_of_genome
from phytoscribe.expression.windows import WindowSettings
from phytoscribe.genome.fasta import write_index
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.expression import ExpressionConfig, ExpressionHead, load_heads
from phytoscribe.models.loading import hash_of
from phytoscribe.models.regulatory import Calibration, RegulatoryConfig, RegulatoryHead, load_head, save_head
from phytoscribe.prediction.expression import predict_genome, predict_windows, read_trunk_bins
from phytoscribe.prediction.trunk_cells import trunk_reader
from phytoscribe.splits.parts import PartInterval, Parts
from phytoscribe.training.loop.settings import Recipe
from phytoscribe.training.tasks.expression.dataset import ExpressionDataset, shifted
from phytoscribe.training.tasks.expression.module import ExplainedSelection, explained
from phytoscribe.training.tasks.expression.task import calibrate, run_expression_training

MODEL = Path(__file__).parents[5] / "resources/models/brassicales"
MOTIF, STEP, GENES = "ACGTGGCA", 400, 500
SETTINGS = WindowSettings("promoter", 100)
SECTION = {
    "input": "promoter", "upstream": 100, "downstream": 50, "threshold": 1.0, "loss": "hurdle", "seeds": 1,
    "filters": 32, "width": 16, "dropout": 0.0, "stretch": 0, "steps": 400, "checkpoint_every": 40, "batch_size": 32,
    "learning_rate": 0.01, "warmup_steps": 10, "patience": 0, "validate_every": 1, "device": "cpu",
    "precision": "float32",
}  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Genes of 200 bases on both strands; every second one has a motif in its promoter and is expressed in bud."""
    folder, generator = tmp_path_factory.mktemp("planted"), np.random.default_rng(1)
    text = generator.choice(list("ACGT"), GENES * STEP + 1000)
    genes, levels = [], {}
    for number in range(GENES):
        start, strand, has = 500 + number * STEP, "+-"[number % 2], number % 4 < 2
        name = f"g{number:03d}"
        genes.append(GeneModel(name, "c", strand, (Transcript(f"{name}.1", ((start, start + 200),)),)))
        if has:
            motif = MOTIF if strand == "+" else MOTIF.translate(str.maketrans("ACGT", "TGCA"))[::-1]
            at = start - 60 if strand == "+" else start + 252
            text[at : at + len(motif)] = list(motif)
        leaf, bud = np.exp2(generator.normal((4.3, 6.6), 0.7))
        levels[name] = (leaf, bud) if has else (leaf if number % 8 == 3 else math.nan, 0.0)
    (folder / "x.fa").write_text(">c\n" + "".join(text) + "\n")
    write_index(folder / "x.fa", folder / "x.fa.fai")
    with (folder / "x.gff3").open("w") as handle:
        write_gff3(handle, genes, {"c": len(text)})
    write_gene_database(folder / "x.gff3", folder / "x.db")
    measured = pd.DataFrame.from_dict(levels, orient="index", columns=["leaf", "bud"]).rename_axis("gene")
    measured.to_csv(folder / "m.tsv", sep="\t")
    files = GenomeFiles("x", folder / "x.db", folder / "x.gff3", folder / "x.fa", folder / "m.tsv")
    windows = windows_of_genome("x", GeneDatabase(files.database), files.gff3, files.fasta, SETTINGS)
    edges = [0, 160_000, 175_000, len(text)]
    parts = zip(edges[:-1], edges[1:], ("train", "validate", "test"), strict=True)
    return folder, files, divided(windows, {"x": Parts({"c": [PartInterval(*part) for part in parts]})}, {})


class Killed(Exception):
    pass


def trained(planted, tmp_path, steps=SECTION["steps"], run="run", target="head", model=None, motifs=None, stretch=0):
    _, files, table = planted
    recipe = Recipe(SECTION | {"steps": steps, "stretch": stretch}, {}, {}, 1)
    run_expression_training(
        table, [files], model, motifs, recipe, [files.measured], tmp_path / run, tmp_path / target, 1
    )
    return tmp_path / target


@pytest.fixture(scope="module")
def head(planted, tmp_path_factory):
    return trained(planted, tmp_path_factory.mktemp("head"))


def predicted(planted, head, output, split=True, names=("unknown", "unknown"), model=None):
    _, files, table = planted
    predict_genome(head, files.gff3, files.fasta, table if split else None, model, names, "cpu", 1, output)
    return pd.read_csv(output, sep="\t", comment="#", keep_default_na=False)


def test_a_network_of_another_kind_is_trained_chosen_and_read_in_the_same_loop(planted, tmp_path):
    _, files, table = planted
    recipe = Recipe(SECTION | {"filters": 8, "learning_rate": 0.003, "steps": 80}, {}, {}, 1)
    folders = (tmp_path / "run", tmp_path / "cnn")
    run_expression_training(table, [files], None, None, recipe, [files.measured], *folders, 1, DeepCreCnn)
    (network,), report = load_heads(tmp_path / "cnn", DeepCreCnn)
    found = explained(network, read_examples(table, [files], SETTINGS, "validate"), torch.device("cpu"))
    (best,) = report["best"]
    assert best["step"] in (40, 80)
    assert found == pytest.approx(best["validation_r2"], abs=0.01)


def test_a_planted_motif_is_learned_and_every_gene_has_its_line(planted, head, tmp_path):
    table = predicted(planted, head, tmp_path / "x.tsv")
    assert len(table) == GENES
    test = table[table["part"] == "test"]
    has = test["gene"].str[1:].astype(int) % 4 < 2
    levels, shares = (test[column].astype(float) for column in ("bud", "bud_expressed"))
    assert levels[has].median() > 10 * levels[~has].median()
    assert (shares[has] > 0.5).mean() > 0.9
    assert (shares[~has] < 0.5).mean() > 0.9
    first = table.iloc[0]
    assert tuple(first[["gene", "contig", "start", "end", "tss", "part", "reason"]]) == (
        "g000", "c", 501, 700, 501, "train", "",
    )  # fmt: skip
    assert set(test["homologue"]) == {"no"}
    head_lines = (tmp_path / "x.tsv").read_text().splitlines()[:5]
    assert "# input: promoter, 100 bases outside and 0 inside of the gene" in head_lines
    assert not any("no plant" in line for line in head_lines)
    unseen = predicted(planted, head, tmp_path / "y.tsv", split=False, names=("x", "Poales"))
    assert "# note: no plant of lineage Poales was trained on; take the values as ranks" in (
        (tmp_path / "y.tsv").read_text().splitlines()
    )
    assert set(unseen["part"]) == {"unseen"}
    pd.testing.assert_series_equal(unseen["bud"], table["bud"])
    same_species = predicted(planted, head, tmp_path / "z.tsv", split=False)
    assert set(same_species["part"]) == {"unknown"}
    assert "# note: the heads have learned from genes of unknown, and" in (tmp_path / "z.tsv").read_text()


def test_the_mean_of_the_seeds_gets_the_scale_of_the_validation_genes():
    generator, torch_seed = np.random.default_rng(4), torch.manual_seed(4)
    sizes = {"pieces": 1, "piece": 100, "filters": 8, "motif": 9, "width": 8, "dropout": 0.0}
    heads = [ExpressionHead(ExpressionConfig(("a", "b"), (4.0, 6.0), (0.1, 0.3), 2.0, **sizes)).eval() for _ in "12"]
    for head in heads:
        torch.nn.init.normal_(head.level.weight, std=3.0, generator=torch_seed)
        torch.nn.init.normal_(head.expressed.weight, std=3.0, generator=torch_seed)
    bases, device = generator.integers(0, 4, (300, 1, 100)).astype(np.uint8), torch.device("cpu")
    told = predict_windows(heads, bases, None, device)
    log = 0.6 * told.log + np.array([1.0, -0.5]) + generator.normal(0, 0.2 * told.log.std(axis=0), told.log.shape)
    log[::7, 1] = np.nan
    genes = Examples(bases, log, ("a", "b"), pd.DataFrame(), [])
    assert calibrate(heads, genes) == pytest.approx(0.6, abs=0.05)
    after = predict_windows(heads, bases, None, device)
    np.testing.assert_array_equal(after.expressed, told.expressed)
    for tissue in range(2):
        known = np.isfinite(log[:, tissue])
        assert np.mean(after.log[known, tissue] - log[known, tissue]) == pytest.approx(0, abs=1e-4)
    assert calibrate(heads, genes) == pytest.approx(1, abs=1e-4)
    config = heads[0].config
    few = replace(genes, bases=bases[:80], log=log[:80])
    assert calibrate(heads, few) is None
    against = replace(genes, log=-genes.log)
    assert calibrate(heads, against) is None
    assert heads[0].config == config


def test_a_run_that_was_stopped_gives_the_same_bytes(planted, tmp_path, monkeypatch):
    whole = trained(planted, tmp_path, steps=80, run="whole", target="a", stretch=50)
    validated = ExplainedSelection.on_train_epoch_end

    def killed(selection, trainer, module):
        if trainer.global_step == 80:
            raise Killed
        validated(selection, trainer, module)

    monkeypatch.setattr(ExplainedSelection, "on_train_epoch_end", killed)
    with pytest.raises(Killed):
        trained(planted, tmp_path, steps=80, run="stopped", target="b", stretch=50)
    assert not (tmp_path / "b").exists()
    monkeypatch.undo()
    again = trained(planted, tmp_path, steps=80, run="stopped", target="b", stretch=50)
    for name in ("expression.json", "expression.safetensors"):
        assert (again / name).read_bytes() == (whole / name).read_bytes()


def test_windows_move_and_nothing_comes_in(planted):
    piece = np.arange(6, dtype=np.uint8) % 4
    np.testing.assert_array_equal(shifted(piece, 2), [N_CODE, N_CODE, 0, 1, 2, 3])
    np.testing.assert_array_equal(shifted(piece, -2), [2, 3, 0, 1, N_CODE, N_CODE])
    _, files, table = planted
    genes = read_examples(table, [files], SETTINGS, "train")
    order = ExpressionDataset(genes, 7)
    first = [order[k] for k in range(len(genes.log))]
    assert sorted(str(x.log) for x in first) == sorted(str(x) for x in genes.log.astype(np.float32))
    again = ExpressionDataset(genes, 7)[5]
    np.testing.assert_array_equal(again.bases, first[5].bases)
    assert not np.array_equal(order[5 + len(genes.log)].bases, first[5].bases)


def test_too_few_genes_are_refused(planted, tmp_path):
    folder, files, table = planted
    with pytest.raises(PhytoScribeError, match=r"0 genes with a window and a measured level are for training"):
        trained((folder, files, table.assign(part="test")), tmp_path)
    quiet = table.assign(part=table["part"].where(table["part"] != "validate", "test"))
    with pytest.raises(PhytoScribeError, match=r"and 0 for validation"):
        trained((folder, files, quiet), tmp_path)


def test_a_head_with_the_structure_model_reads_its_trunk_and_needs_it_again(planted, head, tmp_path):
    found = trained(planted, tmp_path, steps=40, model=MODEL)
    networks, report = load_heads(found)
    reader = trunk_reader(MODEL, "cpu", 1, ("athaliana", "Brassicales"))
    assert networks[0].config.trunk_channels == reader.network.channels
    _, files, table = planted
    genes = read_examples(table, [files], SETTINGS, "validate")
    bins = read_trunk_bins(reader.network, genes.bases[:5], reader.global_ids)
    assert bins.shape == (5, 1, 2, reader.network.channels)
    alone = read_trunk_bins(reader.network, genes.bases[3:4], reader.global_ids)
    np.testing.assert_allclose(alone[0].astype(float), bins[3].astype(float), atol=0.02)
    whole = predicted(planted, found, tmp_path / "x.tsv", model=MODEL)
    assert whole["bud"].ne("").all()
    own = report["structure_model"]
    with pytest.raises(ModelError, match=f"trained with the structure model of hash {own}, and none is given"):
        predicted(planted, found, tmp_path / "y.tsv")
    with pytest.raises(ModelError, match=f"trained with no structure model, and predict.model has hash {own}"):
        predicted(planted, head, tmp_path / "y.tsv", model=MODEL)
    assert not (tmp_path / "y.tsv").exists()


def test_motifs_of_a_regulatory_head_are_kept_and_found_once(planted, tmp_path):
    given = RegulatoryHead(RegulatoryConfig(("A",), filters=8, motif=9, width=8, hidden=8))
    given.stem.start_from(torch.eye(4)[["ACGT".index(base) for base in MOTIF + "A"]][None])
    folder, motifs = tmp_path / "motifs", ("regulatory.json", "regulatory.safetensors")
    folder.mkdir()
    save_head(given, Calibration(*np.ones((4, 1))), {"structure_model": None}, folder)
    found = trained(planted, tmp_path, steps=120, motifs=folder, stretch=50)
    networks, report = load_heads(found)
    torch.testing.assert_close(networks[0].stem.state_dict(), load_head(folder)[0].stem.state_dict(), atol=0, rtol=0)
    assert (networks[0].config.filters, networks[0].config.stretch) == (8, 50)
    assert networks[0].words.mean.min() > 0, "the counts of words were scaled by the training genes"
    assert report["motifs"] == hash_of(folder, motifs)
    assert report["best"][0]["validation_r2"] > 0.5
    table = predicted(planted, found, tmp_path / "x.tsv")
    test = table[table["part"] == "test"]
    has = test["gene"].str[1:].astype(int) % 4 < 2
    assert test["bud"].astype(float)[has].median() > 10 * test["bud"].astype(float)[~has].median()


def test_report_of_the_heads(head):
    networks, report = load_heads(head)
    assert networks[0].config.tissues == ("leaf", "bud")
    assert report["windows"] == {"input": "promoter", "upstream": 100, "downstream": 50}
    assert report["best"][0]["validation_r2"] > 0.5
