"""Average the weights of models that were fine-tuned from one start: often better than the best of them.

    python tools/average_models.py MODEL MODEL [...] --out FOLDER

All are model folders of one configuration and one tokenizer, for example of runs that differ in their seed or recipe
(Wortsman et al. 2022, *Model soups*, arXiv:2203.05482).  Models that were trained from different random weights have
no useful average.  FOLDER gets the tokenizer and decoder of the first model; the decoder was fitted to that one, so fit
it again with `finetune.mode: decoder` before you predict.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

import torch
from safetensors.torch import load_file

from phytoscribe.errors import ModelError, PhytoScribeError
from phytoscribe.files import atomic_path
from phytoscribe.models.annotation_model import AnnotationModel
from phytoscribe.models.configuration import read_model_config
from phytoscribe.models.loading import load_model, save_weights, write_checksums
from phytoscribe.tokenizer.segments import copy_tokenizer

#: Numbers of config.json that say nothing of the network.
_OF_STORAGE = ("dtype", "torch_dtype", "dropout", "species", "lineages")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    try:
        if given.out.exists():
            raise PhytoScribeError(f"{given.out}: is there already; name another folder, or remove it")
        average_models(given.models, given.out)
    except PhytoScribeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def average_models(folders: Sequence[Path], target: Path) -> None:
    """Write the mean of the models in ``folders`` to ``target``, in the number format of the first.

    Raises:
        ModelError: there are fewer than two, one cannot be read, or they are of different networks.
    """
    if len(folders) < 2:
        raise ModelError("give two or more model folders; there is nothing to average")
    first = folders[0]
    for folder in folders[1:]:
        if differing := _differing(first, folder):
            raise ModelError(f"{folder}: not of the same network as {first}: {', '.join(differing)} differ")
    models = [load_model(AnnotationModel, folder) for folder in folders]
    states = [model.state_dict() for model in models]
    models[0].load_state_dict({name: mean([state[name] for state in states]) for name in states[0]})
    stored = load_file(first / "model.safetensors")
    with atomic_path(target) as folder:
        folder.mkdir(parents=True)
        save_weights(models[0].to(next(iter(stored.values())).dtype), folder)
        shutil.copyfile(first / "decoder.json", folder / "decoder.json")
        copy_tokenizer(first, folder)
        write_checksums(folder)


def mean(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """The mean, added up in double precision."""
    return torch.stack([tensor.double() for tensor in tensors]).mean(0).to(tensors[0].dtype)


def _differing(first: Path, other: Path) -> list[str]:
    """What of two models' networks and tokenizers differs."""
    one, two = (read_model_config(folder / "config.json").to_dict() for folder in (first, other))
    found = [name for name in sorted({*one, *two} - {*_OF_STORAGE}) if one.get(name) != two.get(name)]
    if (first / "tokenizer.json").read_bytes() != (other / "tokenizer.json").read_bytes():
        found.append("tokenizer.json")
    return found


if __name__ == "__main__":
    sys.exit(main())
