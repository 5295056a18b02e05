"""A training set made small enough to carry to another machine: two bits a base, the other arrays compressed.

``packed.npz`` takes the place of the arrays; all other files stay as they are.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from phytoscribe.files import atomic_path
from phytoscribe.genome.intervals import true_runs
from phytoscribe.genome.sequence import N_CODE, Bases
from phytoscribe.training.data import files

PACKED = "packed.npz"
_SEQUENCES = ("bases", Path(files.REGION_BASES).stem)
_ARRAY_FILES = (*(f"{name}.npy" for name in files.ARRAYS), files.REGION_BASES)


def pack_training_set(folder: Path, target: Path) -> None:
    """Write the training set in ``folder`` to ``target`` in its small form."""
    stored: dict[str, npt.NDArray] = {}
    for file in _ARRAY_FILES:
        name, values = Path(file).stem, np.load(folder / file)
        if name in _SEQUENCES:
            stored[name], stored[f"{name}_n"] = _pack(values)
            stored[f"{name}_size"] = np.array(values.size)
        elif name.startswith("soft"):
            stored[name] = np.diff(values, prepend=0)
        else:
            stored[name] = values
    with atomic_path(target) as temporary:
        temporary.mkdir()
        for file in files.TRAINING_SET_FILES:
            if file not in _ARRAY_FILES:
                shutil.copyfile(folder / file, temporary / file)
        np.savez_compressed(temporary / PACKED, **stored)


def unpack_training_set(folder: Path, target: Path) -> None:
    """Write the training set that ``folder`` holds in its small form to ``target``."""
    with np.load(folder / PACKED) as stored, atomic_path(target) as temporary:
        temporary.mkdir()
        for file in files.TRAINING_SET_FILES:
            if file not in _ARRAY_FILES:
                shutil.copyfile(folder / file, temporary / file)
                continue
            name = Path(file).stem
            values = stored[name]
            if name in _SEQUENCES:
                values = _unpack(values, stored[f"{name}_n"], int(stored[f"{name}_size"]))
            elif name.startswith("soft"):
                values = values.cumsum()
            np.save(temporary / file, values)


def _pack(bases: Bases) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Two bits a base, uint8 (size / 4,), and the runs of N (runs, 2), which read as A in the former."""
    padded = np.zeros(-(-bases.size // 4) * 4, dtype=np.uint8)
    padded[: bases.size] = bases & 3
    packed = padded[::4] | padded[1::4] << 2 | padded[2::4] << 4 | padded[3::4] << 6
    return packed, np.array(true_runs(bases == N_CODE), dtype=np.int64).reshape(-1, 2)


def _unpack(packed: npt.NDArray[np.uint8], runs: npt.NDArray[np.int64], size: int) -> Bases:
    bases = np.stack([(packed >> shift) & 3 for shift in (0, 2, 4, 6)], axis=1).reshape(-1)[:size]
    for start, end in runs:
        bases[start:end] = N_CODE
    return bases
