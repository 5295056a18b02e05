"""Features of the structure model in cells: the same for either strand, and nothing of the model changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from phytoscribe.errors import PhytoScribeError
from phytoscribe.genome.fasta import write_index
from phytoscribe.genome.sequence import decode, reverse_complement
from phytoscribe.models.loading import model_hash
from phytoscribe.models.regulatory import TRUNK_CELL
from phytoscribe.prediction.trunk_cells import TrunkCells, write_trunk_cells
from phytoscribe.prediction.windows import PredictionSettings

MODEL = Path("resources/models/brassicales")


def test_cells_are_means_of_both_strands(tmp_path):
    bases = np.random.default_rng(5).integers(0, 4, 4_000).astype(np.uint8)
    fasta = tmp_path / "g.fa"
    fasta.write_text(f">plus\n{decode(bases)}\n>minus\n{decode(reverse_complement(bases))}\n>short\nACGTACGTAC\n")
    contigs = write_index(fasta, Path(f"{fasta}.fai"))
    before = model_hash(MODEL)
    assert before in (MODEL / "README.md").read_text(), "the released model is the one that its card names"
    files = (tmp_path / "t.npy", tmp_path / "t.json")
    settings = PredictionSettings(window=2048, margin=256, precision="float32")
    write_trunk_cells(fasta, MODEL, settings, "cpu", ("athaliana", "Brassicales"), files, 1)
    assert model_hash(MODEL) == before

    cells = TrunkCells(*files, contigs)
    assert cells.model_hash == before
    count = 4_000 // TRUNK_CELL
    plus, minus = (cells.around(name, 0, count) for name in ("plus", "minus"))
    assert plus.shape == (count, cells.channels)
    assert plus.std() > 0.1
    np.testing.assert_allclose(plus, minus[::-1], atol=2e-3)
    beyond = cells.around("plus", -2, count + 5)
    np.testing.assert_array_equal(beyond[2:-3], plus)
    assert not beyond[:2].any()
    assert not beyond[-3:].any()
    assert cells.around("short", 0, 1).any()
    with pytest.raises(PhytoScribeError, match="features of another genome"):
        TrunkCells(*files, {"plus": 4_000})
