# Functions for the inputs of rules that learn, predict and explain binding sites and expression.
from phytoscribe.configuration.expression import (
    LEARNED,
    TRAINED,
    ExpressionTargets,
    check_expression_targets,
    expression_files,
    fetched_reads,
    head_files,
    quantified_samples,
    training_settings,
    window_settings,
)
from phytoscribe.configuration.regulatory import files_of_head
from phytoscribe.intake.sources import reads_of_samples

expression_targets = ExpressionTargets(genomes, config)

if not IS_MODULE:
    try:
        check_expression_targets(sys.argv[1:], config["expression"]["model"])
    except ConfigError as error:
        raise WorkflowError(str(error)) from None


def learnt_here():
    """Genomes whose genes the heads that are trained here know by the split."""
    return genomes.learnt_expression if expression_targets.trained else []


def regulatory_head():
    """Files of the regulatory head that predicts: of the one that is trained here, or of a folder."""
    return regulatory_files.head() if regulatory_files.trained else given(regulatory_files.head())


def motif_files():
    """Files of the regulatory head whose motifs the heads take; none if they learn their own."""
    motifs = config["expression"]["motifs"]
    if motifs == LEARNED:
        return []
    return regulatory_files.trained_head() if motifs == TRAINED else given(files_of_head(motifs))


def genes_with_ends(wildcards):
    """The genes whose expression is predicted: of the annotation, or predicted ones, which have UTRs too."""
    if wildcards.genome in genomes.annotated:
        return f"results/clean/{wildcards.genome}.accepted.gff3"
    return f"results/predictions/{wildcards.genome}.gff3"


def source_of_rnaseq(wildcards):
    """For params: what of the source of one file of RNA-seq reads decides its content; never a secret."""
    sample = (wildcards.tissue, int(wildcards.sample), wildcards.mate)
    return deciding_part(reads_of_samples(genomes[wildcards.genome].expression)[sample])


def reads_of_sample(wildcards):
    """The files of one sample of RNA-seq reads, local or fetched: of single reads, or the first and second of pairs."""
    number = int(wildcards.sample)
    found = {
        mate: source
        for (tissue, own, mate), source in reads_of_samples(genomes[wildcards.genome].expression).items()
        if (tissue, own) == (wildcards.tissue, number)
    }
    if not found:
        raise WorkflowError(
            f"{wildcards.genome} has no sample {number} of {wildcards.tissue!r} under `expression.reads`"
        )
    return [
        local(source["path"]) if "path" in source else fetched_reads(wildcards.genome, wildcards.tissue, number, mate)
        for mate, source in found.items()
    ]


def measured_files(wildcards):
    """The files with measured levels of a genome: those of the user, or what salmon finds in reads."""
    expression = genomes[wildcards.genome].expression or {}
    if "reads" not in expression:
        return given(expression_files(expression))
    return [file for files in quantified_samples(wildcards.genome, expression).values() for file in files]


def source_of_levels(wildcards, input):
    """For params: how the files with measured levels are read; of reads, what salmon finds in them."""
    expression = genomes[wildcards.genome].expression or {}
    if "reads" not in expression:
        return {key: value for key, value in expression.items() if key != "decoys"}
    files = iter(input.files)
    return {"salmon": {tissue: [next(files) for _ in samples] for tissue, samples in expression["reads"].items()}}
