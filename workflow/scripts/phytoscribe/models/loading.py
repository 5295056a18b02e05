"""Model folders: what they hold, their hash, and weights that provably arrived."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from phytoscribe.errors import ModelError
from phytoscribe.labels.states import SITE_NAMES, StateSet
from phytoscribe.models.encoder import BigBroPreTrainedModel
from phytoscribe.tokenizer.segments import Segmenter

Model = TypeVar("Model", bound=BigBroPreTrainedModel)

logger = logging.getLogger(__name__)

#: Files of a structure model folder that decide its predictions.
MODEL_FILES = ("config.json", "model.safetensors", "decoder.json", "tokenizer.json")


def model_hash(folder: str | Path) -> str:
    """First 16 hex digits of the SHA-256 over the files that decide a model's predictions.

    Raises:
        ModelError: one of them is missing.
    """
    digest = hashlib.sha256()
    for name in MODEL_FILES:
        path = Path(folder) / name
        if not path.is_file():
            raise ModelError(f"{path}: missing; a model folder holds {', '.join(MODEL_FILES)}")
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def load_model(kind: type[Model], folder: str | Path, *others: type[Model]) -> Model:
    """Load a saved model, in single precision whatever it was saved in; every tensor must be there.

    Args:
        others: kinds that the folder may hold instead, as its config.json says.

    Raises:
        ModelError: the folder is unreadable, or tensors are missing, unexpected or of another shape.
    """
    try:
        config = kind.config_class.from_pretrained(str(folder), local_files_only=True)
        kind = next((other for other in others if other.__name__ in (config.architectures or ())), kind)
        tensors = load_file(Path(folder) / "model.safetensors")
        given = {_name_today(name, kind.former_names): tensor.float() for name, tensor in tensors.items()}
        model, report = kind.from_pretrained(
            None, config=config, state_dict=given, output_loading_info=True, dtype=torch.float32
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"{folder}: not a saved {kind.__name__} ({error})") from error
    faults = {key: list(value) for key, value in report.items() if value}
    if faults:
        raise ModelError(f"{folder}: the weights do not fit {kind.__name__}: {faults}")
    return model.eval()


def _name_today(name: str, former_names: Iterable[tuple[str, str]]) -> str:
    """A tensor's name in today's models, from the one that it was saved under."""
    for pattern, replacement in former_names:
        today, changed = re.subn(pattern, replacement, name)
        if changed:
            return today
    return name


def check_fit(model: BigBroPreTrainedModel, segmenter: Segmenter) -> None:
    """Whether a model and a tokenizer belong together, and genes can be decoded from the model's heads.

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


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What became of a pretrained model's tensors in a new one.

    Attributes:
        source: folder of the pretrained model.
        part: ``encoder`` or ``trunk``: what was carried over.
        loaded: tensors copied.
        parameters_loaded: numbers in them.
        new: tensors of the new model that start from random values.
    """

    source: str
    part: str
    loaded: int
    parameters_loaded: int
    new: list[str]

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def load_pretrained(target: BigBroPreTrainedModel, pretrained: BigBroPreTrainedModel, source: str) -> LoadReport:
    """Copy the trunk of ``pretrained``, or its encoder if it has no more, into that of ``target``; verify each tensor.

    Raises:
        ModelError: the two differ in a tensor's name or shape.
    """
    part = "trunk" if hasattr(pretrained, "trunk") else "encoder"
    given, into = getattr(pretrained, part).state_dict(), getattr(target, part)
    wanted = into.state_dict()
    if {k: v.shape for k, v in given.items()} != {k: v.shape for k, v in wanted.items()}:
        differing = sorted(k for k in given.keys() | wanted.keys() if _shape(given, k) != _shape(wanted, k))
        raise ModelError(
            f"{source}: the pretrained {part} has another shape than config.yaml's model "
            f"({differing[0]}: {_shape(given, differing[0])} against {_shape(wanted, differing[0])}); "
            "use the same model and tokenizer settings for both"
        )
    into.load_state_dict(given, strict=True)
    wrong = [name for name, tensor in into.state_dict().items() if not bool((tensor == given[name]).all())]
    if wrong:
        raise ModelError(f"{source}: tensors did not arrive: {wrong}")
    new = sorted(name for name in target.state_dict() if part not in name.split("."))
    report = LoadReport(source, part, len(given), parameter_count(given.values()), new)
    logger.info("pretrained %s: %d tensors (%d numbers) loaded", part, report.loaded, report.parameters_loaded)
    return report


def parameter_count(tensors: Iterable) -> int:
    return sum(t.numel() for t in tensors)


def _shape(tensors: dict[str, Tensor], name: str) -> tuple[int, ...] | None:
    return tuple(tensors[name].shape) if name in tensors else None


def trainable_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
