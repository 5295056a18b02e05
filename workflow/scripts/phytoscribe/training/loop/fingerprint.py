"""A run folder belongs to one configuration: another one never resumes from its checkpoints."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from phytoscribe.files import atomic_open, sha256_of
from phytoscribe.training.loop.ranks import own_rank, wait_for_all

logger = logging.getLogger(__name__)

FINGERPRINT = "fingerprint.json"
#: Parts of the library that decide what is learned and which checkpoint is kept.
LEARNING = (
    "genome",
    "annotation",
    "labels",
    "splits",
    "tokenizer",
    "models",
    "decoding",
    "training",
    "prediction",
    "evaluation",
)


def claim_run_folder(folder: Path, settings: Mapping[str, Any], inputs: Iterable[str | Path]) -> None:
    """Make ``folder`` this configuration's run folder; the first rank does it for all.

    A folder left by other settings, other inputs or other library code is emptied, and the log says so.

    Args:
        settings: all that decides the training's result.
        inputs: files that decide it; their content counts, not their time.
    """
    if own_rank() == 0:
        _claim(folder, settings, inputs)
    wait_for_all()


def _claim(folder: Path, settings: Mapping[str, Any], inputs: Iterable[str | Path]) -> None:
    root = Path(__file__).parents[2]
    library = sorted(path for part in LEARNING for path in (root / part).rglob("*.py"))
    digest = hashlib.sha256("".join(sha256_of(path) for path in library).encode()).hexdigest()
    wanted = {
        "settings": json.loads(json.dumps(settings, sort_keys=True, default=str)),
        "inputs": {str(path): sha256_of(path) for path in inputs},
        "library": digest,
    }
    record = folder / FINGERPRINT
    if folder.exists():
        found = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
        if found == wanted:
            return
        changed = [key for key in wanted if found.get(key) != wanted[key]]
        logger.warning("%s was made with other %s: starting anew", folder, ", ".join(changed))
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    with atomic_open(record) as handle:
        json.dump(wanted, handle, indent=1, sort_keys=True)
