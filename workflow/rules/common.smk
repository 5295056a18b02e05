# The checked configuration, and functions that give rules their inputs and parameters; shared by all stages.
# The knowledge behind them is in workflow/scripts/phytoscribe/configuration/, with its tests.
import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.settings.types import DeploymentMethod

# Of this file, not of the Snakefile that was started: that one may use this workflow as a module.
INSTALLATION = Path(str(workflow.current_basedir)).parents[1]
SCRIPTS = INSTALLATION / "workflow" / "scripts"
if not SCRIPTS.is_dir():
    raise WorkflowError(
        f"PhytoScribe needs its library and its model, not {workflow.current_basedir} alone: "
        'name the file workflow/Snakefile, as in github("owner/phytoscribe", path="workflow/Snakefile", tag="v0.1.0")'
    )
sys.path.insert(0, str(SCRIPTS))

from phytoscribe.configuration.addresses import hand_over
from phytoscribe.configuration.evidence import has_proteins, has_reads, junction_table, protein_table, weights_file
from phytoscribe.configuration.genomes import Genomes, deciding_part
from phytoscribe.configuration.checks import RELEASED_MODEL_FILES
from phytoscribe.configuration.isoforms import (
    check_completions,
    completing_method,
    isoform_files,
    isoform_values,
    written_as_sentences,
)
from phytoscribe.configuration.noncoding import class_files
from phytoscribe.configuration.regulatory import RegulatoryFiles, check_regulatory_targets
from phytoscribe.configuration.resources import ON_PROCESSORS, place_of_prediction, places_of_ranks, rules_on_processors
from phytoscribe.configuration.read import read_config
from phytoscribe.configuration.result_files import (
    BIGWIGS,
    RELATED_SPECIES,
    NoncodingFiles,
    PlausibilityFiles,
    TrackFiles,
    check_targets,
    of_genomes,
    shard_files,
    source_records,
)
from phytoscribe.errors import ConfigError
from phytoscribe.models import EVIDENCE_FILE, PROTEIN_EVIDENCE_FILE
from phytoscribe.sources import result_modules
from phytoscribe.training.data import TRAINING_SET_FILES

# Whether another workflow uses this one as a module: then its rules may make our files, and targets may be its own.
IS_MODULE = not workflow.modifier.is_main_snakefile()

try:
    checked = read_config(
        config,
        schema=INSTALLATION / "workflow" / "schemas" / "config.schema.yaml",
        files=[os.path.relpath(file) for file in workflow.configfiles],
        catalogue=INSTALLATION / "config" / "catalogue",
        look_around=workflow.is_main_process and not IS_MODULE,
        with_conda=DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method,
    )
    # From here on addresses are masked: jobs, params and reports of Snakemake keep copies of the configuration.
    config = hand_over(checked, os.environ)
    genomes = Genomes(config)
    track_files, plausibility_files = TrackFiles(genomes, config), PlausibilityFiles(genomes, config)
    noncoding_files = NoncodingFiles(genomes, config)
    regulatory_files = RegulatoryFiles(genomes, config)
    if not IS_MODULE:
        check_targets(sys.argv[1:], genomes)
        check_regulatory_targets(sys.argv[1:], config)
        check_completions(sys.argv[1:], config["isoforms"]["method"], config["predict"]["model"])
except ConfigError as error:
    raise WorkflowError(str(error)) from None
# An expression of a profile sees no configuration, only the environment. Modules add their rules to those of others.
other_rules = os.environ.get(ON_PROCESSORS, "").split() if IS_MODULE else []
our_rules = map(workflow.modifier.modify_rulename, rules_on_processors(config))
os.environ[ON_PROCESSORS] = " ".join(dict.fromkeys([*other_rules, *our_rules]))


wildcard_constraints:
    genome="|".join(map(re.escape, genomes.names)),
    shard=r"\d{3}",
    annotation="genes|dna|noncoding|reference|augustus",
    encoder="none|frozen",


TOKENIZER_FILES = ["tokenizer.json", "tokenizer_config.json"]

# Attempts of a download are counted inside the script (config key `download`); this is one more after all of them.
DOWNLOAD_RETRIES = 1

CLEANER_ENVIRONMENT = f"../envs/{'agat' if config['clean']['backend'] == 'agat' else 'annotation'}.yaml"


def given(paths):
    """For input: files that no rule here makes. They keep their place where a module's `prefix` moves all others."""
    return [local(os.path.relpath(path) if isinstance(path, Path) else path) for path in paths]


def library(script):
    """For input: the modules of the library that a script reaches, so that their edits rerun the rule."""
    return lambda wildcards: given(result_modules(SCRIPTS / f"{script}.py", SCRIPTS))


def sources(kind, name):
    """Where the files of one genome come from, as a list (`genome`, `annotation` or `isoseq`)."""
    found = getattr(genomes[name], kind)
    return [found] if isinstance(found, dict) else list(found or ())


def source(kind):
    """For params: what of the sources of one genome decides the content of its files; never a secret."""
    return lambda wildcards: [deciding_part(part) for part in sources(kind, wildcards.genome)]


def local_source(kind):
    """For input: the local files behind a source, so that their change reruns the rule; nothing for a download."""
    return lambda wildcards: given(part["path"] for part in sources(kind, wildcards.genome) if "path" in part)


def attempts_left(wildcards, attempt):
    """For resources: tells a script whether its rule will be tried again, so that it says once why it failed."""
    return DOWNLOAD_RETRIES + 1 - attempt


def seqid_map_of(wildcards):
    """For params: the names of sequences where annotation and FASTA differ, or the path of a table of them, or None."""
    return genomes[wildcards.genome].seqid_map


def seqid_map_file(wildcards):
    """For input: the table of sequence names, where they are given in a file."""
    found = seqid_map_of(wildcards)
    return local(found) if isinstance(found, str) else []


def organelles_of(wildcards):
    """For params: the contigs that the configuration calls organelles."""
    return list(genomes[wildcards.genome].organelles)


def fasta_of(names, suffix=""):
    """Genome FASTA files, or with a suffix what lies beside them (`.fai`)."""
    return [f"resources/genomes/{name}/{name}.fa{suffix}" for name in names]


def mask_of(wildcards):
    """The BED file of intervals that are left out, if this genome has one."""
    mask = genomes[wildcards.genome].mask
    return local(mask["path"]) if mask else []


def masks_of(names):
    """The BED files of the genomes that have one."""
    return given(genomes[name].mask["path"] for name in names if genomes[name].mask)


# Input functions: the checked reference annotation, the AUGUSTUS prediction, the aligned Iso-Seq reads, and those that
# judge a prediction because they did not help to make it, for genomes that have them.
reference_of = of_genomes(genomes.annotated, "results/clean/{genome}.accepted.gff3")
baseline_of = of_genomes(genomes.with_baseline, "results/evaluation/augustus/{genome}.gff3")
alignment_of = of_genomes(genomes.with_isoseq, "results/evaluation/isoseq/{genome}.bam")
judging_reads_of = of_genomes(genomes.judged_by_isoseq, "results/evaluation/isoseq/{genome}.bam")


def model_files(model=config["predict"]["model"]):
    """Files of the model that predicts: trained here, or of a released model's folder."""
    if model == "trained":
        return [f"results/models/structure/{file}" for file in RELEASED_MODEL_FILES]
    return given(f"{model.rstrip('/')}/{file}" for file in RELEASED_MODEL_FILES)


def shards_of(wildcards):
    """The parts that the prediction of one genome is divided into."""
    return shard_files(wildcards.genome, config["predict"]["shards"], "jsonl")


def predictions():
    """All prediction files of all genomes."""
    endings = ["gff3", "gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json"]
    files = expand("results/predictions/{genome}.{ending}", genome=genomes.names, ending=endings)
    endings = ["noncoding.gff3", "noncoding.tsv", "all.gff3"]
    return files + expand("results/predictions/{genome}.{ending}", genome=noncoding_files.wanted(), ending=endings)


def evaluations():
    """Score tables: of every genome without a reference, and of those that have something to be scored with."""
    return [
        *expand("results/evaluation/{genome}.plausibility.tsv", genome=genomes.names),
        *expand("results/evaluation/{genome}.{kind}.tsv", genome=genomes.evaluated, kind=["genes", "isoforms"]),
        *expand("results/evaluation/{genome}.evidence.tsv", genome=genomes.compared),
        *expand(
            "results/evaluation/{genome}.{kind}.tsv",
            genome=genomes.judged_by_isoseq,
            kind=["isoseq", "blast", "isoseq_agreement"],
        ),
        *expand("results/evaluation/{genome}.noncoding.tsv", genome=noncoding_files.scored()),
    ]
