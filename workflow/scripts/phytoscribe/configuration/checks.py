"""Checks of a configuration that a schema cannot express: files, roles, fractions, names."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from phytoscribe.configuration.contig_names import contig_mistakes
from phytoscribe.configuration.genomes import SPLIT_ROLES
from phytoscribe.configuration.schema import closest
from phytoscribe.configuration.sources import source_mistakes
from phytoscribe.errors import ConfigError
from phytoscribe.models.sizes import numbers_of_model
from phytoscribe.splits import LOWEST_IDENTITY, largest_word_size

Config = Mapping[str, Any]

#: What a folder named by ``predict.model`` must hold.
RELEASED_MODEL_FILES = ("config.json", "model.safetensors", "decoder.json", "tokenizer.json", "tokenizer_config.json")


def meaning_mistakes(config: Config) -> list[str]:
    """Mistakes in what the keys say together; reads no file."""
    return [
        *_repeated_names(config),
        *(mistake for item in config["genomes"] for mistake in _genome_mistakes(item)),
        *_check_mistakes(config["check"]),
        *_split_mistakes(config),
        *_size_mistakes(config["model"]),
        *_training_mistakes(config),
        *_window_mistakes(config),
    ]


def surrounding_mistakes(config: Config, with_conda: bool = True) -> list[str]:
    """Mistakes in what the configuration expects of this machine: files and programs that are not there.

    Args:
        with_conda: this run makes conda environments, so that programs need not be on PATH.
    """
    return [
        *(mistake for item in config["genomes"] for mistake in _missing_files(item)),
        *(mistake for item in config["genomes"] for mistake in contig_mistakes(item)),
        *_augustus_mistakes(config),
        *_cleaner_mistakes(config, with_conda),
        *_model_mistakes("predict.model", config["predict"]["model"]),
        *_model_mistakes("finetune.from_model", config["finetune"].get("from_model", "trained")),
    ]


def sources_of(item: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The files of one genome: the key as a reader would say it, and its source."""
    for key in ("genome", "annotation", "mask", "repeats"):
        if key in item:
            yield key, item[key]
    for number, source in enumerate(item.get("isoseq") or (), start=1):
        yield f"isoseq[{number}]", source


def _repeated_names(config: Config) -> Iterator[str]:
    for name, times in Counter(item["name"].casefold() for item in config["genomes"]).items():
        if times > 1:
            yield f"genomes: the name '{name}' is used {times} times; each needs its own (case does not count)"


def _genome_mistakes(item: Mapping[str, Any]) -> Iterator[str]:
    place, role = f"genomes[{item['name']}]", item["role"]
    for key, source in sources_of(item):
        if key not in ("mask", "repeats"):
            yield from source_mistakes(f"{place}.{key}", source, of_reads=key.startswith("isoseq"))
    if role in SPLIT_ROLES and not item.get("annotation"):
        yield f"{place}: role '{role}' needs an annotation; add `annotation: {{path: ...}}`, or use role 'predict'"
    contigs = item.get("contigs") or {}
    if any(contigs.values()) and role != "train":
        yield f"{place}.contigs: only a genome of role 'train' holds out single contigs, but its role is '{role}'"
    listed = [contig for part in contigs.values() for contig in part]
    for contig, times in Counter(listed).items():
        if times > 1:
            yield f"{place}.contigs: '{contig}' is listed {times} times; a contig is in one part only"
    if item.get("augustus") and not item.get("annotation"):
        yield f"{place}.augustus: the AUGUSTUS baseline is scored against an annotation, and there is none"


def _split_mistakes(config: Config) -> Iterator[str]:
    split = config["split"]
    listing = [f"genomes[{item['name']}].contigs" for item in config["genomes"] if any(item["contigs"].values())]
    if split["mode"] == "cluster" and listing:
        yield (
            f"split.mode is 'cluster', which deals genes out by homology and would ignore {', '.join(listing)}; "
            "remove these lists, or use split.mode: contig"
        )
    total = sum(split["fractions"].values())
    if abs(total - 100) > 1e-6:
        yield f"split.fractions: they add up to {total:g}, and must add up to 100 (percent)"
    lowest = LOWEST_IDENTITY[split["word_size"]]
    if split["identity"] < lowest:
        possible = split["identity"] >= min(LOWEST_IDENTITY.values())
        advice = (
            f"use word_size: {largest_word_size(split['identity'])}" if possible else "CD-HIT does not go below 0.4"
        )
        yield (
            f"split.word_size: {split['word_size']} needs an identity of at least {lowest}, "
            f"not {split['identity']}; {advice}"
        )


def _check_mistakes(check: Mapping[str, Any]) -> Iterator[str]:
    if check["minimum_intron"] >= check["maximum_intron"]:
        yield "check: minimum_intron must be smaller than maximum_intron"
    if check["warn_above"] > check["stop_above"]:
        yield "check: warn_above must not be larger than stop_above, or the run stops without a warning before"


def _size_mistakes(model: Mapping[str, Any]) -> Iterator[str]:
    try:
        numbers_of_model(model)
    except ConfigError as error:
        yield str(error)


def _window_mistakes(config: Config) -> Iterator[str]:
    predict = config["predict"]
    if predict["window"] <= 2 * predict["margin"]:
        yield f"predict.window: {predict['window']} must be more than twice predict.margin ({predict['margin']})"


def _training_mistakes(config: Config) -> Iterator[str]:
    if config["predict"]["model"] != "trained":
        return
    ranks = config["training"]["devices"] * config["training"]["nodes"]
    for section in ("pretrain", "finetune"):
        steps, interval = config[section]["steps"], config[section]["checkpoint_every"]
        if steps % interval:
            yield f"{section}.steps: {steps} must be a multiple of {section}.checkpoint_every ({interval})"
        if config[section]["batch_size"] % ranks:
            yield (
                f"{section}.batch_size: {config[section]['batch_size']} must be a multiple of training.devices times "
                f"training.nodes ({ranks}), since all of them share it"
            )
    finetune = config["finetune"]
    if finetune["sequence_weight"] and finetune.get("mode") != "decoder" and finetune["batch_size"] % (2 * ranks):
        yield (
            f"finetune.batch_size: {finetune['batch_size']} must be a multiple of {2 * ranks}, since with "
            "finetune.sequence_weight the batch of each process holds both strands of each window; change it, or set "
            "sequence_weight: 0"
        )
    roles = {item["name"]: item["role"] for item in config["genomes"]}
    for name in config["pretrain"]["genomes"]:
        if roles.get(name) != "predict":
            yield (
                f"pretrain.genomes: '{name}' is no genome of role 'predict'{closest(name, roles)}; genomes of other "
                "roles are read anyway as far as the split allows"
            )
    roles = list(roles.values())
    if "train" not in roles:
        yield (
            "predict.model is 'trained', but no genome has role 'train'; give one that role, "
            "or name the folder of a released model in predict.model"
        )
        return
    validates = "validate" in roles or any((item.get("contigs") or {}).get("validate") for item in config["genomes"])
    if config["split"]["mode"] == "contig" and not validates:
        yield (
            "split.mode is 'contig', but nothing is held out for validation, and training chooses its best "
            "checkpoint there; list contigs under genomes[...].contigs.validate, give a genome role 'validate', "
            "or use split.mode: cluster"
        )


def _missing_files(item: Mapping[str, Any]) -> Iterator[str]:
    files = [(f"{key}.path", source["path"]) for key, source in sources_of(item) if "path" in source]
    if isinstance(item.get("seqid_map"), str):
        files.append(("seqid_map", item["seqid_map"]))
    for key, path in files:
        if not Path(path).is_file():
            wrong = "is a folder" if Path(path).is_dir() else "no such file"
            yield f"genomes[{item['name']}].{key}: {path}: {wrong} (relative paths start where Snakemake runs)"
        elif not os.access(path, os.R_OK):
            yield f"genomes[{item['name']}].{key}: {path}: no permission to read it"


def _augustus_mistakes(config: Config) -> Iterator[str]:
    folder = _augustus_species_folder()
    if folder is None:
        return
    known = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    for item in config["genomes"]:
        species = item.get("augustus")
        if species and species not in known:
            yield (
                f"genomes[{item['name']}].augustus: AUGUSTUS has no species '{species}'{closest(species, known)}; "
                f"its species are the folders of {folder}"
            )


def _augustus_species_folder() -> Path | None:
    """Where the AUGUSTUS on PATH keeps its species, or None where there is none to look into."""
    program = shutil.which("augustus")
    candidates = [os.environ.get("AUGUSTUS_CONFIG_PATH")]
    if program:
        candidates += ["/usr/share/augustus/config", str(Path(program).resolve().parent.parent / "config")]
    for candidate in filter(None, candidates):
        if (Path(candidate) / "species").is_dir():
            return Path(candidate) / "species"
    return None


def _cleaner_mistakes(config: Config, with_conda: bool) -> Iterator[str]:
    if config["clean"]["backend"] != "agat" or not any(item.get("annotation") for item in config["genomes"]):
        return
    has_conda = bool(shutil.which("conda"))
    if shutil.which("agat_convert_sp_gxf2gxf.pl") or (with_conda and has_conda):
        return
    missing = "conda is there but not used (no `--sdm conda`)" if has_conda else "neither is conda"
    yield (
        f"clean.backend is 'agat', but AGAT is not on PATH, and {missing}; run with `--sdm conda` where conda is, "
        "install AGAT (`conda install -c bioconda agat`), or use clean.backend: builtin, which needs no program"
    )


def _model_mistakes(key: str, model: str) -> Iterator[str]:
    if model == "trained":
        return
    folder = Path(model)
    missing = [name for name in RELEASED_MODEL_FILES if not (folder / name).is_file()]
    if not folder.is_dir():
        yield f"{key}: {model}: no such folder; name a folder with a released model"
    elif missing:
        yield f"{key}: {model}: this is no complete model folder, {', '.join(missing)} is missing"
