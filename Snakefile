# PhytoScribe: from plant genomes to scored gene annotation. This file loads the configuration, includes the stages in
# their order and names what can be asked for; `snakemake --list` shows the rest.
from snakemake.utils import min_version

min_version("9.27")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/common_training.smk"
include: "workflow/rules/common_reads.smk"
include: "workflow/rules/common_expression.smk"
include: "workflow/rules/container.smk"
include: "workflow/rules/intake.smk"
include: "workflow/rules/clean.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/tokenizer.smk"
include: "workflow/rules/training_set.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/isoforms.smk"
include: "workflow/rules/evidence.smk"
include: "workflow/rules/gene_classes.smk"
include: "workflow/rules/expression.smk"
include: "workflow/rules/predict.smk"
include: "workflow/rules/self_training.smk"
include: "workflow/rules/noncoding.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/isoseq.smk"
include: "workflow/rules/plausibility.smk"
include: "workflow/rules/tracks.smk"
include: "workflow/rules/regulatory.smk"
include: "workflow/rules/attribution.smk"
include: "workflow/rules/expression_attribution.smk"
include: "workflow/rules/report.smk"


rule all:
    input:
        predictions(),
        evaluations(),
        expand("results/clean/{genome}.check.svg", genome=genomes.checked),
        track_files.targets(),
        targets_of_heads(),
        "results/report/report.html",
        "resources/genomes/manifest.tsv",
    localrule: True


rule annotate:
    input:
        predictions(),
    localrule: True


rule submission:
    input:
        expand("results/submission/{genome}.tbl", genome=genomes.submitted),
    localrule: True


rule train:
    input:
        model_files("trained"),
    localrule: True
