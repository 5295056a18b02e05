"""Attribution of the regulatory head at sites that its labels have: for motifs, and how far it can be trusted."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import spearmanr

from phytoscribe.attribution.gradients import grad_cam, integrated_gradients
from phytoscribe.attribution.mutagenesis import (
    Codes,
    Values,
    WholeModel,
    change_when_shuffled,
    effects,
    trunk_of_pieces,
)
from phytoscribe.devices import choose_device
from phytoscribe.files import atomic_path
from phytoscribe.genome.sequence import N_CODE
from phytoscribe.models.loading import model_hash
from phytoscribe.models.regulatory import TRUNK_CELL, RegulatoryHead, load_head
from phytoscribe.prediction.regulatory import bases_around, check_trunk, chosen_labels
from phytoscribe.prediction.trunk_cells import trunk_reader
from phytoscribe.prediction.windows import PredictionSettings
from phytoscribe.regulatory.bins import blocks_of, known_bins
from phytoscribe.splits.blocks import BLOCK
from phytoscribe.splits.parts import PARTS, TEST, VALIDATE
from phytoscribe.training.tasks.regulatory.scores import COLUMNS
from phytoscribe.training.tasks.regulatory.windows import RegulatoryData

logger = logging.getLogger(__name__)

#: Bases around a site in which motifs are looked for.  TF-MoDISco finds none in less than about 150.
SPAN = 300
#: Median rank correlation with mutagenesis under which an attribution is called unreliable.
RELIABLE = 0.5
#: Shuffled sequences that the share explained is a mean over.
SHUFFLES = 10
GAP, SHARE, AGREEMENT, CAM, TRUSTED = (
    "completeness_gap", "share_explained", "mutagenesis_spearman", "gradcam_spearman", "reliable",
)  # fmt: skip


class Site(NamedTuple):
    """A bin in which a label has a site.

    Attributes:
        genome: number; start: first base of the bin; centre: the summit, or the middle of the bin if none is known.
    """

    genome: int
    contig: str
    start: int
    centre: int


@dataclass(frozen=True)
class HeadAtSites:
    """A head and the genomes with peaks of its labels.

    Attributes:
        chosen: labels that are looked at.
        folder: of the head; structure_model: hash of the structure model whose features it takes, or None.
    """

    head: RegulatoryHead
    data: RegulatoryData
    chosen: list[str]
    folder: Path
    structure_model: str | None

    @classmethod
    def read(
        cls,
        folder: Path,
        genomes: tuple[Sequence[str], Sequence[str], Sequence[str]],
        trunk: Sequence[tuple[str, str]],
        labels: int | Sequence[str],
        device: str,
    ) -> HeadAtSites:
        """Load the head of a folder.

        Args:
            genomes: FASTA, peaks and parts of each genome with peaks.
            trunk: features of the structure model for each, or nothing.
            labels: those that are looked at, or how many, the best on the validation blocks.
        """
        head, calibration, report = load_head(folder)
        chosen = chosen_labels(labels, head.config.labels, calibration, "attribution.labels")
        head.requires_grad_(False).to(choose_device(device))
        data = RegulatoryData.read(*genomes, 0, trunk, head.config.labels, head.config.margin)
        return cls(head, data, chosen, folder, report["structure_model"])

    @property
    def name(self) -> str:
        """What the table of scores calls the head."""
        return f"head, encoder {'frozen' if self.head.config.trunk_channels else 'none'}"

    def column(self, label: str) -> int:
        return self.head.config.labels.index(label)

    def sites(self, parts: Sequence[str]) -> dict[str, list[Site]]:
        """All sites of the chosen labels in known bins of some parts of the split, in order."""
        width, found = self.head.config.bin, {label: [] for label in self.chosen}
        places = [(part, n, s) for part in parts for n, own in enumerate(self.data.segments(part)) for s in own]
        for _, number, segment in places:
            genome = self.data.genomes[number]
            for block in blocks_of([segment], BLOCK):
                first, count = block.grid(width)
                known = known_bins(genome.genome.bases(block.contig, first, first + count * width), width)
                table = genome.labels.dense(block.contig, first, count, width) & known[:, None]
                summits, owners = genome.labels.summits(block.contig, first, first + count * width)
                for label in self.chosen:
                    column = self.column(label)
                    centre = first + width * np.arange(count) + width // 2
                    own = summits[owners == column]
                    centre[(own - first) // width] = own
                    rows = np.flatnonzero(table[:, column])
                    found[label] += [
                        Site(number, block.contig, first + width * row, int(centre[row])) for row in rows.tolist()
                    ]
        return found

    def drawn(self, sites: Sequence[Site], most: int, seed: int) -> list[Site]:
        """Up to ``most`` of the sites of a label, in order.

        Those that come first in an order of all places that the seed gives are taken.  So labels that share sites are
        drawn the same ones, and what is measured there for all labels at once is measured once.
        """
        return [
            sites[place] for place in chosen_by_seed([f"{s.genome} {s.contig} {s.start}" for s in sites], most, seed)
        ]

    def pieces(self, sites: Sequence[Site], flank: int = 0) -> Codes:
        """Bases of the windows around the bins of sites, with ``flank`` more on each side, uint8 (sites, bases)."""
        beside, width = self.head.config.margin + flank, self.head.config.bin
        return np.stack(
            [
                bases_around(self.data.genomes[n].genome, contig, start - beside, start + width + beside)
                for n, contig, start, _ in sites
            ]
        )

    def cells(self, sites: Sequence[Site]) -> Values | None:
        """Features of the trunk in these windows, read from the files of whole genomes."""
        config = self.head.config
        if not config.trunk_channels:
            return None
        found = []
        for number, contig, start, _ in sites:
            trunk = self.data.genomes[number].trunk
            check_trunk(self.folder, self.structure_model, trunk.model_hash if trunk else None)
            first = (start - config.margin) // TRUNK_CELL
            found.append(trunk.around(contig, first, (config.bin + 2 * config.margin) // TRUNK_CELL))
        return np.stack(found)


def attribute_sites(
    at: HeadAtSites, steps: int, sequences: int, seed: int, output: str | Path, parts: Sequence[str] = PARTS
) -> None:
    """Integrated gradients of up to ``sequences`` sites of each label: what the head makes of them.

    Writes arrays ``{label}/bases``, uint8 (sites, SPAN), and ``{label}/hypothetical``, float16 (sites, SPAN, 4), as
    ``.npz``; sites with an N are left out.

    Args:
        parts: of the split, from which sites are drawn.
    """
    arrays: dict[str, npt.NDArray] = {}
    for label, sites in at.sites(parts).items():
        drawn = at.drawn(sites, sequences, seed)
        if not drawn:
            logger.warning("label %s has no site in these genomes, so no motif is looked for", label)
            continue
        bases = at.pieces(drawn)
        found = integrated_gradients(at.head, bases, at.column(label), steps, at.cells(drawn))
        far, margin = at.head.config.far, at.head.config.margin
        span = min(SPAN, bases.shape[1] - 2 * far)
        left = np.array([site.centre - site.start + margin - span // 2 for site in drawn])
        rows = np.clip(left, far, bases.shape[1] - far - span)[:, None] + np.arange(span)
        bases = np.take_along_axis(bases, rows, axis=1)
        hypothetical = np.take_along_axis(found.hypothetical, rows[:, :, None], axis=1)
        whole = (bases != N_CODE).all(axis=1)
        arrays |= {f"{label}/bases": bases[whole], f"{label}/hypothetical": hypothetical[whole].astype(np.float16)}
        logger.info("%s: %d sites read, completeness gap %.3f", label, whole.sum(), np.median(found.gap))
    with atomic_path(output) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(handle, **arrays)


def whole_models(
    at: HeadAtSites, structure_model: Path | None, names: Sequence[tuple[str, str]], device: str, threads: int
) -> list[WholeModel]:
    """The head with its trunk for each genome: their species differ.

    Args:
        structure_model: its folder, for a head that takes features of its trunk.
        names: species and lineage of each genome.

    Raises:
        ModelError: the head was trained with another structure model.
    """
    check_trunk(at.folder, at.structure_model, model_hash(structure_model) if structure_model else None)
    if structure_model is None:
        return [WholeModel(at.head) for _ in names]
    # In single precision: the change of one base is smaller than what others round.
    settings = PredictionSettings(precision="float32")
    readers = {own: trunk_reader(structure_model, device, threads, own, settings) for own in dict.fromkeys(names)}
    return [WholeModel(at.head, trunk_of_pieces(readers[own])) for own in names]


class Mutagenesis:
    """Effects of changed bases at the sites of labels; the changes of a site are read once for all of its labels.

    Args:
        models: of :func:`whole_models`.
        sites: of each label.
    """

    def __init__(self, at: HeadAtSites, models: Sequence[WholeModel], sites: Mapping[str, Sequence[Site]]) -> None:
        self.at, self.models = at, models
        # The summits of labels in a bin differ, its bases do not.
        self.labels: dict[Site, list[str]] = {}
        for label, own in sites.items():
            for site in own:
                self.labels.setdefault(site._replace(centre=site.start), []).append(label)
        self._waiting: dict[tuple[str, Site], Values] = {}

    def effects(self, label: str, site: Site) -> Values:
        """As :func:`phytoscribe.attribution.mutagenesis.effects`, of one label (bin,); each may be asked for once."""
        place = site._replace(centre=site.start)
        if (label, place) not in self._waiting:
            model = self.models[site.genome]
            found = effects(model, self.at.pieces([site], model.flank)[0])
            self._waiting |= {(own, place): found[:, self.at.column(own)].copy() for own in self.labels[place]}
        return self._waiting.pop((label, place))


def check_attribution(
    at: HeadAtSites, models: Sequence[WholeModel], steps: int, windows: int, seed: int
) -> pd.DataFrame:
    """Compare attributions with mutagenesis of the whole model at held-out sites.

    Test sites are taken, or validation sites of a label without any.

    Args:
        models: of :func:`whole_models`.
        windows: sites of each label.

    Returns:
        Long table as that of the scores, with median and quartiles over the sites as value, low and high.
    """
    return pd.DataFrame(list(checked_labels(at, models, steps, windows, seed)), columns=list(COLUMNS))


def checked_labels(
    at: HeadAtSites, models: Sequence[WholeModel], steps: int, windows: int, seed: int
) -> Iterator[tuple]:
    """The rows of :func:`check_attribution`, label after label."""
    held_out, drawn, parts = {part: at.sites([part]) for part in (TEST, VALIDATE)}, {}, {}
    for label in at.chosen:
        parts[label] = TEST if held_out[TEST][label] else VALIDATE
        drawn[label] = at.drawn(held_out[parts[label]][label], windows, seed)
    mutagenesis = Mutagenesis(at, models, drawn)
    for label, sites in drawn.items():
        if not sites:
            logger.warning("label %s has no site in the test and validation blocks, so nothing checks it", label)
            continue
        found = _measured(at, mutagenesis, sites, label, steps, seed)
        for measure, values in found.items():
            yield at.name, label, parts[label], measure, *values, len(sites), np.nan
        logger.info(
            "%s: rank correlation with mutagenesis %.2f%s",
            label, found[AGREEMENT][0], "" if found[TRUSTED][0] else "; attributions of this label are not reliable",
        )  # fmt: skip


def _measured(
    at: HeadAtSites, mutagenesis: Mutagenesis, sites: Sequence[Site], label: str, steps: int, seed: int
) -> dict[str, tuple[float, float, float]]:
    """Value, low and high of each measure."""
    column, config = at.column(label), at.head.config
    inside = slice(config.margin, config.margin + config.bin)
    generator = np.random.default_rng([seed, column, 1])
    gaps, agreements, cams, stem, whole = [], [], [], [], []
    for site in sites:
        model = mutagenesis.models[site.genome]
        piece = at.pieces([site], model.flank)
        window, cells = model.window(piece), model.cells(piece)
        truth = mutagenesis.effects(label, site)
        found = integrated_gradients(at.head, window, column, steps, cells)
        gaps.append(float(found.gap[0]))
        agreements.append(agreement(truth, found.contribution[0, inside]))
        cams.append(agreement(truth, grad_cam(at.head, window, column, cells)[0, inside]))
        if cells is not None:
            change = change_when_shuffled(model, piece[0], SHUFFLES, generator)
            stem.append(float(change.stem[column]))
            whole.append(float(change.whole[column]))
    # Without a trunk the motif stem alone reads the bases.
    share = sum(stem) / sum(whole) if sum(whole) else np.nan if stem else 1.0
    reliable = float(np.median(agreements) >= RELIABLE)
    return {
        GAP: quartiles(gaps),
        SHARE: (share, np.nan, np.nan),
        AGREEMENT: quartiles(agreements),
        CAM: quartiles(cams),
        TRUSTED: (reliable, np.nan, np.nan),
    }


def agreement(truth: npt.NDArray[np.floating], attribution: npt.NDArray[np.floating]) -> float:
    """Spearman's rank correlation of absolute values; 0 if one of them is the same everywhere and so ranks nothing."""
    left, right = np.abs(truth), np.abs(attribution)
    if np.ptp(left) == 0 or np.ptp(right) == 0:
        return 0.0
    return float(spearmanr(left, right).statistic)


def chosen_by_seed(names: Sequence[str], most: int, seed: int) -> list[int]:
    """Places of up to ``most`` of the names, in order: those that come first in an order that the seed gives."""
    order = [blake2b(f"{seed} {name}".encode(), digest_size=8).digest() for name in names]
    return sorted(sorted(range(len(names)), key=order.__getitem__)[:most])


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Median, lower and upper quartile."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return middle, low, high
