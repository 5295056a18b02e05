"""Model folders: their files and hash, loading with a check that all weights are complete, and networks beside them."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from phytoscribe.errors import ModelError
from phytoscribe.files import atomic_open, atomic_path, sha256_of
from phytoscribe.labels.states import SITE_NAMES, StateSet
from phytoscribe.models.configuration import read_model_config
from phytoscribe.models.encoder import BigBroPreTrainedModel
from phytoscribe.tokenizer.segments import Segmenter

Model = TypeVar("Model", bound=BigBroPreTrainedModel)
Built = TypeVar("Built")

logger = logging.getLogger(__name__)

#: Files of a structure model folder that decide its predictions.
MODEL_FILES = ("config.json", "model.safetensors", "decoder.json", "tokenizer.json")
#: SHA-256 of the files of a model folder, in the form of ``sha256sum``, which can check it (``sha256sum -c``).
CHECKSUMS = "model.sha256"
_HASHED = (*MODEL_FILES, "tokenizer_config.json")


def model_hash(folder: str | Path) -> str:
    """First 16 hex digits of the SHA-256 over the files that determine a model's predictions.

    Raises:
        ModelError: one of them is missing.
    """
    return hash_of(folder, MODEL_FILES)


def hash_of(folder: str | Path, files: Sequence[str]) -> str:
    """First 16 hex digits of the SHA-256 over files of a folder, one after the other.

    Raises:
        ModelError: one of them is missing.
    """
    digest = hashlib.sha256()
    for name in files:
        path = Path(folder) / name
        if not path.is_file():
            raise ModelError(f"{path}: missing; a model folder holds {', '.join(files)}")
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def write_checksums(folder: str | Path) -> None:
    """Record the checksums of a finished model folder, so that :func:`load_model` notices damage."""
    found = [path for path in map(Path(folder).joinpath, _HASHED) if path.is_file()]
    with atomic_open(Path(folder) / CHECKSUMS) as handle:
        handle.writelines(f"{sha256_of(path)}  {path.name}\n" for path in found)


def save_weights(model: BigBroPreTrainedModel, folder: Path) -> None:
    """Write config.json and model.safetensors of a model into its folder, in the number format that it has."""
    model.save_pretrained(folder)
    # Readable like every other output: the weights are written for their owner alone.
    (folder / "model.safetensors").chmod((folder / "config.json").stat().st_mode)


def _check_checksums(folder: Path) -> None:
    """ModelError unless the files are those that were written; folders of earlier versions do not say."""
    path = folder / CHECKSUMS
    if not path.is_file():
        logger.info("%s: no %s (the model is of an earlier version), so damage might go unnoticed", folder, CHECKSUMS)
        return
    try:
        noted = [line.split("  ", 1) for line in path.read_text(encoding="utf-8").splitlines()]
        expected = {name: digest for digest, name in noted}
    except ValueError as error:
        raise ModelError(f"{path}: damaged; fetch or copy the model folder again") from error
    for name, digest in expected.items():
        if name not in _HASHED:
            raise ModelError(f"{path}: names {name}, which is no file of a model; fetch or copy the folder again")
        if not (folder / name).is_file() or sha256_of(folder / name) != digest:
            raise ModelError(
                f"{folder / name}: not the file that {CHECKSUMS} was written for: it is damaged or of another model; "
                "fetch or copy the folder again. If you changed it yourself, run in the folder: "
                f"sha256sum {' '.join(expected)} > {CHECKSUMS}"
            )


def load_model(kind: type[Model], folder: str | Path, *others: type[Model]) -> Model:
    """Load a saved model in single precision, whatever its saved precision; every tensor must be present.

    Args:
        others: other kinds of model that the folder may hold, according to its config.json.

    Raises:
        ModelError: the folder is unreadable, damaged (by its own checksums) or has adapters beside the weights; or
            tensors are missing, unexpected, of another shape, or contain NaN or infinity.
    """
    if adapters := sorted(path.name for path in Path(folder).glob("adapter_*")):
        raise ModelError(
            f"{folder}: holds {', '.join(adapters)}; adapters are not read: merge them into the weights (peft's "
            "merge_and_unload), or remove these files"
        )
    config = read_model_config(Path(folder) / "config.json")
    _check_checksums(Path(folder))
    kind = next((other for other in others if other.__name__ in (config.architectures or ())), kind)
    try:
        tensors = load_file(Path(folder) / "model.safetensors")
        if wrong := sorted(name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())):
            raise ModelError(
                f"{folder}: the weights hold values that are no numbers (nan or inf), first in {wrong[0]}; fetch or "
                "copy the model again, or train it anew"
            )
        given = {_name_today(name, kind.former_names): tensor.float() for name, tensor in tensors.items()}
        model, report = kind.from_pretrained(
            None, config=config, state_dict=given, output_loading_info=True, dtype=torch.float32
        )
    except ModelError:
        raise
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder}: not a saved {kind.__name__} ({error})") from error
    faults = [_said(key.replace("_", " "), value) for key, value in report.items() if value]
    if faults:
        raise ModelError(f"{folder}: the weights do not fit {kind.__name__}: {'; '.join(faults)}")
    return model.eval()


def _said(fault: str, tensors: Iterable[object]) -> str:
    """A fault of loading with the first tensors that have it: names, or names with shapes."""
    first, *others = sorted(map(str, tensors))
    return f"{fault}: {first}" + (f" and {len(others)} more" if others else "")


def _name_today(name: str, former_names: Iterable[tuple[str, str]]) -> str:
    """A tensor's name in today's models, from the one that it was saved under."""
    renamed = (re.sub(pattern, replacement, name) for pattern, replacement in former_names)
    return next((today for today in renamed if today != name), name)


def check_fit(model: BigBroPreTrainedModel, segmenter: Segmenter) -> None:
    """Check that a model and a tokenizer belong together, and that genes can be decoded from the model's heads.

    Raises:
        ModelError: another vocabulary size or pad id; a head or a channel that the decoder needs is missing.
    """
    config = model.config
    pairs = {
        "tokens": (config.vocab_size, segmenter.vocabulary_size),
        "pad id": (config.pad_token_id, segmenter.pad_id),
        "bases a token (0: various)": (config.token_length, segmenter.token_length),
    }
    for what, (of_model, expected) in pairs.items():
        if of_model != expected:
            raise ModelError(
                f"the model has {what} {of_model}, its tokenizer has {expected}; "
                "the folder mixes files of different models, train or fetch it again"
            )
    for head in ("structure", "sites"):
        if head not in config.heads:
            raise ModelError(
                f"the model has no head {head}, only {', '.join(config.heads)}; genes cannot be predicted with it, "
                "use a model that was trained for gene structures"
            )
    states = StateSet(config.heads["structure"])
    if states.others:
        unknown = ", ".join(states.names[column] for column in states.others)
        logger.warning(
            "the model has states that gene structures are not decoded from: %s; read as intergenic", unknown
        )
    if missing := [name for name in SITE_NAMES if name not in config.heads["sites"]]:
        raise ModelError(f"the model's head sites lacks {', '.join(missing)}; use a model that was trained for both")


def save_beside(
    files: tuple[str, str],
    description: Mapping[str, Any],
    tensors: Mapping[str, Tensor],
    folder: Path,
    single: Collection[str] = (),
) -> None:
    """Write a network that stands beside a model: what describes it as JSON, and its weights in half precision.

    Args:
        files: names of the two files.
        single: tensors whose range may be beyond that of half precision: they are kept in single.
    """
    described, weights = (folder / name for name in files)
    kept = {
        name: x.detach().to("cpu", torch.float32 if name in single else torch.float16).contiguous()
        for name, x in tensors.items()
    }
    with atomic_path(weights) as temporary:
        temporary.write_bytes(save(kept))
    with atomic_open(described) as handle:
        handle.write(json.dumps(description, indent=1) + "\n")


def load_beside(
    files: tuple[str, str],
    folder: Path,
    build: Callable[[dict[str, Any], dict[str, Tensor]], Built],
    missing: str,
    remedy: str,
) -> tuple[Built, dict[str, Any]]:
    """What :func:`save_beside` wrote, and what its JSON file says.

    Args:
        build: makes it of the description and the tensors.
        missing: what is said of a file that is not there.
        remedy: what to do if they cannot be read.

    Raises:
        ModelError: a file is missing, damaged, or of another version.
    """
    described, weights = (folder / name for name in files)
    for path in (described, weights):
        if not path.is_file():
            raise ModelError(f"{path}: missing{missing}")
    try:
        description = json.loads(described.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{described}: cannot be read ({error}); {remedy}") from error
    try:
        return build(description, load_file(weights)), description
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{weights}: cannot be read ({error}); {remedy}") from error


def load_pretrained(
    target: BigBroPreTrainedModel, pretrained: BigBroPreTrainedModel, source: str
) -> dict[str, str | int | list[str]]:
    """Copy the trunk of ``pretrained``, or its encoder if it has no trunk, into ``target``; verify each tensor.

    Args:
        source: folder of the pretrained model.

    Returns:
        ``source``; ``part``, trunk or encoder; ``loaded`` tensors and ``parameters_loaded``, the numbers in them; and
        the names of ``new`` tensors, which the pretrained model does not have.

    Raises:
        ModelError: the two differ in a tensor's name or shape.
    """
    part = "trunk" if hasattr(pretrained, "trunk") else "encoder"
    given, into = getattr(pretrained, part).state_dict(), getattr(target, part)
    shapes, wanted = ({k: tuple(v.shape) for k, v in tensors.items()} for tensors in (given, into.state_dict()))
    if differing := sorted(k for k in shapes.keys() | wanted.keys() if shapes.get(k) != wanted.get(k)):
        raise ModelError(
            f"{source}: the pretrained {part} has another shape than config.yaml's model "
            f"({differing[0]}: {shapes.get(differing[0])} against {wanted.get(differing[0])}); "
            "use the same model and tokenizer settings for both"
        )
    into.load_state_dict(given, strict=True)
    wrong = [name for name, tensor in into.state_dict().items() if not bool((tensor == given[name]).all())]
    if wrong:
        raise ModelError(f"{source}: tensors did not arrive: {wrong}")
    new = sorted(name for name in target.state_dict() if part not in name.split("."))
    numbers = sum(tensor.numel() for tensor in given.values())
    logger.info("pretrained %s: %d tensors (%d numbers) loaded", part, len(given), numbers)
    return {"source": source, "part": part, "loaded": len(given), "parameters_loaded": numbers, "new": new}


def trainable_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
