"""Checks of a configuration that a schema cannot express: files, roles, fractions, names."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from phytoscribe.configuration.contig_names import contig_mistakes
from phytoscribe.configuration.evidence import evidence_file_mistakes, evidence_mistakes
from phytoscribe.configuration.expression import expression_file_mistakes, expression_mistakes
from phytoscribe.configuration.genomes import SPLIT_ROLES
from phytoscribe.configuration.isoforms import isoform_mistakes, method_file_mistakes
from phytoscribe.configuration.mistakes import uneven_batch, uneven_steps, unreadable
from phytoscribe.configuration.noncoding import (
    class_mistakes,
    missing_class_files,
    noncoding_file_mistakes,
    noncoding_mistakes,
)
from phytoscribe.configuration.regulatory import regulatory_file_mistakes, regulatory_mistakes
from phytoscribe.configuration.schema import closest
from phytoscribe.errors import ConfigError, DownloadError
from phytoscribe.intake.sources import reads_of_samples
from phytoscribe.intake.transfer.addresses import split_url
from phytoscribe.models.sizes import numbers_of_model
from phytoscribe.splits import LOWEST_IDENTITY, largest_word_size

Config = Mapping[str, Any]

#: What a folder named by ``predict.model`` must hold.
RELEASED_MODEL_FILES = ("config.json", "model.safetensors", "decoder.json", "tokenizer.json", "tokenizer_config.json")

#: Files of a genome that have a path and no other source.
_LOCAL = ("mask", "repeats", "junctions")


def meaning_mistakes(config: Config) -> list[str]:
    """Find contradictions between keys; reads no file."""
    return [
        *_repeated_names(config),
        *(mistake for item in config["genomes"] for mistake in _genome_mistakes(item)),
        *_annotation_mistakes(config),
        *_limit_mistakes(config["check"], config["predict"]),
        *_split_mistakes(config),
        *_size_mistakes(config["model"]),
        *_training_mistakes(config),
        *isoform_mistakes(config["isoforms"]),
        *evidence_mistakes(config),
        *class_mistakes(config),
        *expression_mistakes(config),
        *noncoding_mistakes(config),
        *regulatory_mistakes(config),
    ]


def surrounding_mistakes(config: Config, with_conda: bool = True) -> list[str]:
    """Find missing files and programs that the configuration expects on this machine.

    Args:
        with_conda: this run creates conda environments, so programs need not be on PATH.
    """
    return [
        *(mistake for item in config["genomes"] for mistake in _missing_files(item)),
        *(mistake for item in config["genomes"] for mistake in contig_mistakes(item)),
        *_augustus_mistakes(config),
        *_cleaner_mistakes(config, with_conda),
        *noncoding_file_mistakes(config),
        *_model_mistakes("predict.model", config["predict"]["model"]),
        *_model_mistakes("finetune.from_model", config["finetune"].get("from_model", "trained")),
        *method_file_mistakes(config["isoforms"]["method"], config["predict"]["model"]),
        *evidence_file_mistakes(config),
        *missing_class_files(config["predict"]),
        *expression_file_mistakes(config),
        *regulatory_file_mistakes(config),
    ]


def _sources(item: Config) -> Iterator[tuple[str, Config]]:
    """The files of one genome: the key as a reader would say it, and its source."""
    for key in ("genome", "annotation", *_LOCAL):
        if key in item:
            yield key, item[key]
    for number, source in enumerate(item["isoseq"], start=1):
        yield f"isoseq[{number}]", source
    for (tissue, number, mate), source in reads_of_samples(item.get("expression")).items():
        yield f"expression.reads.{tissue}[{number}].{mate}", source


def _repeated_names(config: Config) -> Iterator[str]:
    for name, times in Counter(item["name"].casefold() for item in config["genomes"]).items():
        if times > 1:
            yield f"genomes: the name '{name}' is used {times} times; each needs its own (case does not count)"


def _genome_mistakes(item: Config) -> Iterator[str]:
    place, role = f"genomes[{item['name']}]", item["role"]
    for key, source in _sources(item):
        if key not in _LOCAL:
            yield from _source_mistakes(f"{place}.{key}", source, of_reads=key.startswith(("isoseq", "expression")))
    listed = [contig for contigs in item["contigs"].values() for contig in contigs]
    if listed and role != "train":
        yield f"{place}.contigs: only a genome of role 'train' holds out single contigs, but its role is '{role}'"
    for contig, times in Counter(listed).items():
        if times > 1:
            yield f"{place}.contigs: '{contig}' is listed {times} times; a contig is in one split only"
    if item.get("augustus") and not item.get("annotation"):
        yield f"{place}.augustus: the AUGUSTUS baseline is scored against an annotation, and there is none"


def _annotation_mistakes(config: Config) -> Iterator[str]:
    """Genomes of the split that lack an annotation; self-training that lacks a genome without one, or its model."""
    finetune, trains = config["finetune"], config["predict"]["model"] == "trained"
    by_itself = finetune.get("mode") == "self"
    for item in config["genomes"]:
        place, role = f"genomes[{item['name']}]", item["role"]
        if role not in SPLIT_ROLES or item.get("annotation") or (by_itself and trains and role == "train"):
            continue
        if item.get("peaks") and not trains:  # it has a part in the regulatory head alone
            continue
        advice = "add `annotation: {path: ...}`, or use role 'predict'"
        if by_itself and role == "train":
            advice = "with finetune.mode: self it needs none, but predict.model: trained"
        yield f"{place}: role '{role}' needs an annotation; {advice}"
    if by_itself and trains:
        if not finetune.get("from_model"):
            yield "finetune.mode is 'self', but no model makes the first prediction; name one in finetune.from_model"
        annotated = [item["name"] for item in config["genomes"] if item["role"] == "train" and item.get("annotation")]
        if annotated and len(annotated) == [item["role"] for item in config["genomes"]].count("train"):
            yield (
                "finetune.mode 'self' is for genomes of role 'train' without annotation, but there is one for "
                f"{', '.join(annotated)}; train on it with finetune.mode: full, frozen, lora or decoder, or leave it "
                "out with `annotation: false`"
            )


def _split_mistakes(config: Config) -> Iterator[str]:
    split = config["split"]
    listing = [f"genomes[{item['name']}].contigs" for item in config["genomes"] if any(item["contigs"].values())]
    if split["mode"] == "cluster" and listing:
        yield (
            f"split.mode is 'cluster', which divides genes by homology and would ignore {', '.join(listing)}; "
            "remove these lists, or use split.mode: contig"
        )
    total = sum(split["fractions"].values())
    if abs(total - 100) > 1e-6:
        yield f"split.fractions: they add up to {total:g}, and must add up to 100 (percent)"
    lowest = LOWEST_IDENTITY[split["word_size"]]
    if split["identity"] < lowest:
        yield (
            f"split.word_size: {split['word_size']} needs an identity of at least {lowest}, not {split['identity']}; "
            f"use word_size: {largest_word_size(split['identity'])}"
        )


def _limit_mistakes(check: Config, predict: Config) -> Iterator[str]:
    if check["minimum_intron"] >= check["maximum_intron"]:
        yield "check: minimum_intron must be smaller than maximum_intron"
    if check["warn_above"] > check["stop_above"]:
        yield "check: warn_above must not be larger than stop_above, or the run stops without a warning before"
    if predict["window"] <= 2 * predict["margin"]:
        yield f"predict.window: {predict['window']} must be more than twice predict.margin ({predict['margin']})"


def _size_mistakes(model: Config) -> Iterator[str]:
    try:
        numbers_of_model(model)
    except ConfigError as error:
        yield str(error)


def _training_mistakes(config: Config) -> Iterator[str]:
    if config["predict"]["model"] != "trained":
        return
    ranks = config["training"]["devices"] * config["training"]["nodes"]
    for section in ("pretrain", "finetune"):
        yield from uneven_steps(config, section)
        yield from uneven_batch(config, section)
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
    validates = "validate" in roles or any(item["contigs"]["validate"] for item in config["genomes"])
    if config["split"]["mode"] == "contig" and not validates:
        yield (
            "split.mode is 'contig', but nothing is held out for validation, and training chooses its best "
            "checkpoint there; list contigs under genomes[...].contigs.validate, give a genome role 'validate', "
            "or use split.mode: cluster"
        )


def _missing_files(item: Config) -> Iterator[str]:
    files = [(f"{key}.path", source["path"]) for key, source in _sources(item) if "path" in source]
    if isinstance(item.get("seqid_map"), str):
        files.append(("seqid_map", item["seqid_map"]))
    for key, path in files:
        yield from unreadable(f"genomes[{item['name']}].{key}", path)


def _augustus_mistakes(config: Config) -> Iterator[str]:
    """Species that the AUGUSTUS on PATH lacks; none where its folder of species is not found."""
    program = shutil.which("augustus")
    homes = [os.environ.get("AUGUSTUS_CONFIG_PATH")]
    if program:
        homes += ["/usr/share/augustus/config", str(Path(program).resolve().parent.parent / "config")]
    folder = next((Path(home) / "species" for home in homes if home and (Path(home) / "species").is_dir()), None)
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
    missing = [name for name in RELEASED_MODEL_FILES if not os.path.isfile(folder / name)]
    if not os.path.isdir(folder):
        yield f"{key}: {model}: no such folder; name a folder with a released model"
    elif missing:
        yield f"{key}: {model}: this is no complete model folder, {', '.join(missing)} is missing"
    elif any(folder.glob("adapter_*")):
        yield f"{key}: {model}: holds adapter files, which are not read; merge them into the weights, or remove them"


def _source_mistakes(place: str, source: Config, of_reads: bool = False) -> Iterator[str]:
    """Mistakes of one source: not exactly one place, a URL with a password, a half-named proteome.

    Args:
        place: the source as a reader would say it: ``genomes[x].genome``.
        of_reads: the source is a file of reads, which Phytozome has not.
    """
    places = ["path", "url"] if of_reads else ["path", "url", "phytozome"]
    given = [key for key in places if key in source]
    if len(given) != 1:
        wrong = f"{' and '.join(given)} are given" if given else f"none of {', '.join(places)} is given"
        yield f"{place}: {wrong}; give exactly one of them"
    if "url" in source:
        yield from _url_mistakes(f"{place}.url", source["url"])
    if "phytozome" in source:
        yield from _phytozome_mistakes(f"{place}.phytozome", source["phytozome"])
        for key in ("version", "assembly"):
            if key in source:
                inner = "annotation" if place.endswith("annotation") and key == "version" else "assembly"
                yield f"{place}.{key}: is for path and url; say it as phytozome: {{..., {inner}: ...}}"


def _url_mistakes(place: str, url: str) -> Iterator[str]:
    try:
        parts = split_url(url)
    except DownloadError as error:
        yield f"{place}: {error}"
        return
    if parts.username or parts.password:
        # The address itself stays out of the message: it would carry the password into logs.
        yield (
            f"{place}: it holds a user name or password, which would end up in logs and in Snakemake's records; "
            "download the file yourself and give its `path`"
        )


def _phytozome_mistakes(place: str, query: Config) -> Iterator[str]:
    if ("genome_id" in query) == ("proteome" in query):
        wrong = "both are given" if "genome_id" in query else "neither is given"
        yield f"{place}: give genome_id or proteome with version, {wrong}"
    elif ("proteome" in query) != ("version" in query):
        yield (
            f"{place}: proteome and version belong together, for example {{proteome: Ptrichocarpa, version: v4.1}}; "
            "beside genome_id the declared versions are called assembly and annotation"
        )
