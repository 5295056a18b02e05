"""Motifs: found in an attribution by TF-MoDISco, in files of MEME's format, and as logos.

TF-MoDISco-lite (Shrikumar et al. 2018, arXiv:1811.00416) is called as a program.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_open, scratch_folder
from phytoscribe.programs import require, run

logger = logging.getLogger(__name__)

#: Seqlets of one label that TF-MoDISco takes at most, and that it needs.
MOST_SEQLETS, LEAST_SEQLETS = 20_000, 100
#: Columns at the ends of a motif with less information are cut off, down to this width; bits.
LEAST_INFORMATION, LEAST_WIDTH = 0.4, 8
#: Columns that every logo has room for, so that letters are alike in size.
LOGO_WIDTH = 20
#: Colours of A, C, G and T, as JASPAR draws them.
COLOURS = ("#1b8a3a", "#2458b3", "#e0a100", "#c8282d")

Profile = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Motif:
    """A motif.

    Attributes:
        name: the first word of its line in a MEME file; alias: the others.
        profile: probabilities of the bases, float64 (width, 4).
        seqlets: places that it was made of.
    """

    name: str
    profile: Profile
    seqlets: int = 0
    alias: str = ""

    @property
    def label(self) -> str:
        """The label of a motif that was found here."""
        return self.name.rpartition(".")[0]

    @property
    def consensus(self) -> str:
        """The most likely base of each column; n where none has half."""
        return "".join("ACGT"[row.argmax()] if row.max() >= 0.5 else "n" for row in self.profile)


def information(profile: Profile) -> Profile:
    """Information of each column of a profile, bits (width,)."""
    return 2.0 + np.where(profile > 0, profile * np.log2(np.maximum(profile, 1e-12)), 0.0).sum(axis=1)


def read_meme(path: str | Path, least: int = 1) -> list[Motif]:
    """Motifs of a file in MEME's minimal format; rows of a profile are made to sum to 1.

    Raises:
        PhytoScribeError: it has fewer than ``least``, or a line is no row of four probabilities.
    """
    found: list[Motif] = []
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PhytoScribeError(f"{path}: cannot be read as text ({error}); give motifs in MEME format") from error
    place = 0
    while place < len(lines):
        if not lines[place].startswith("MOTIF"):
            place += 1
            continue
        name, _, alias = " ".join(lines[place].split()[1:]).partition(" ")
        while place < len(lines) and not lines[place].startswith("letter-probability matrix"):
            place += 1
        words = lines[place].replace("=", "= ").split() if place < len(lines) else []
        given = dict(itertools.pairwise(words))
        rows = []
        for row in lines[place + 1 :]:
            values = row.split()
            if len(values) != 4:
                break
            rows.append(values)
        try:
            profile = np.array(rows, dtype=np.float64)
            if not name or not rows or (profile < 0).any() or not (profile.sum(axis=1) > 0).all():
                raise ValueError
            seqlets = round(float(given.get("nsites=", 0)))
        except ValueError as error:
            raise PhytoScribeError(
                f"{path}, line {place + 1}: motif {name or '?'} has no rows of four probabilities; give motifs in MEME "
                "format, for DNA"
            ) from error
        found.append(Motif(name, profile / profile.sum(axis=1, keepdims=True), seqlets, alias))
        place += len(rows) + 1
    if len(found) < least:
        raise PhytoScribeError(f"{path}: no motif in it; give motifs in MEME format (lines that begin with MOTIF)")
    return found


def write_meme(path: str | Path, motifs: Sequence[Motif]) -> None:
    """Write motifs in MEME's minimal format; a file of none has its header alone."""
    with atomic_open(path) as out:
        out.write("MEME version 4\n\nALPHABET= ACGT\n\nstrands: + -\n\n")
        out.write("Background letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25\n")
        for motif in motifs:
            out.write(f"\nMOTIF {motif.name} {motif.alias}".rstrip())
            width = len(motif.profile)
            out.write(f"\nletter-probability matrix: alength= 4 w= {width} nsites= {motif.seqlets} E= 0\n")
            out.writelines(" ".join(f"{x:.6f}" for x in row) + "\n" for row in motif.profile)


def discover_motifs(attributions: str | Path) -> list[Motif]:
    """Motifs of each label in a file of :func:`phytoscribe.attribution.attribute.attribute_sites`.

    They are named ``{label}.{number}``, from the most seqlets on.  A label without enough seqlets has none.

    Raises:
        ToolError: the program is missing or fails.
    """
    found: list[Motif] = []
    program = require("modisco", "attribution.labels")
    with np.load(attributions, allow_pickle=False) as stored, scratch_folder() as folder:
        for label in dict.fromkeys(name.rpartition("/")[0] for name in stored.files):
            bases, hypothetical = stored[f"{label}/bases"], stored[f"{label}/hypothetical"]
            if len(bases) < LEAST_SEQLETS:
                logger.warning("%s: no motif found: %d sites of the %d needed", label, len(bases), LEAST_SEQLETS)
                continue
            one_hot = (bases[:, None] == np.arange(4)[:, None]).astype(np.int8)
            np.savez(folder / "bases.npz", one_hot)
            np.savez(folder / "attributions.npz", hypothetical.transpose(0, 2, 1))
            (folder / "motifs.h5").unlink(missing_ok=True)
            given = ["-s", folder / "bases.npz", "-a", folder / "attributions.npz", "-n", MOST_SEQLETS]
            run([program, "motifs", *given, "-w", bases.shape[1], "-o", folder / "motifs.h5"])
            own = list(_patterns(folder / "motifs.h5"))
            for number, (profile, seqlets) in enumerate(own, start=1):
                found.append(Motif(f"{label}.{number}", trimmed(profile), seqlets))
            logger.info("%s: %d motifs (seqlets: %s)", label, len(own), ", ".join(str(n) for _, n in own) or "none")
    return found


def _patterns(path: Path) -> Iterator[tuple[Profile, int]]:
    """Profile and number of seqlets of the patterns that raise the log odds, from the most seqlets on."""
    with h5py.File(path, "r") as stored:
        patterns = stored.get("pos_patterns", {}).values()
        counted = [(np.array(p["sequence"], dtype=np.float64), int(p["seqlets"]["n_seqlets"][0])) for p in patterns]
    yield from sorted(counted, key=lambda pattern: -pattern[1])


def trimmed(profile: Profile) -> Profile:
    """A profile without the columns of little information at its ends."""
    told = information(profile)
    first, last = 0, len(profile)
    while last - first > LEAST_WIDTH and min(told[first], told[last - 1]) < LEAST_INFORMATION:
        if told[first] < told[last - 1]:
            first += 1
        else:
            last -= 1
    return profile[first:last]


def logo_figure(rows: Sequence[tuple[str, Profile]]) -> Figure:
    """Logos below each other: letters as high as their part of the information of a column, up to 2 bits.

    Args:
        rows: title and profile of each.
    """
    width = max(LOGO_WIDTH, *(len(profile) for _, profile in rows))
    figure = Figure(figsize=(0.6 + 0.2 * width, 1.05 * len(rows)), layout="constrained")
    for axes, (title, profile) in zip(figure.subplots(len(rows), squeeze=False)[:, 0], rows, strict=True):
        axes.set(xlim=(0, width), ylim=(0, 2), xticks=[], yticks=[0, 2])
        axes.set_ylabel("bits", fontsize=7, labelpad=-4)
        axes.set_title(title, fontsize=8, loc="left")
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        for column, (shares, told) in enumerate(zip(profile, information(profile), strict=True)):
            bottom = 0.0
            for base in np.argsort(shares, kind="stable").tolist():
                height = float(shares[base] * told)
                if height > 0.01:
                    axes.add_patch(_letter(base, column, bottom, height))
                    bottom += height
    return figure


def _letter(base: int, left: float, bottom: float, height: float) -> PathPatch:
    """A letter that fills a box one column wide."""
    outline = TextPath((0, 0), "ACGT"[base], size=1)
    box = outline.get_extents()
    fit = Affine2D().translate(-box.x0, -box.y0).scale(0.94 / box.width, height / box.height)
    return PathPatch(fit.translate(left + 0.03, bottom).transform_path(outline), color=COLOURS[base], linewidth=0)
