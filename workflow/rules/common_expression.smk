# Functions for the inputs of rules that learn, predict and explain binding sites and expression.
from phytoscribe.configuration.expression import (
    LEARNED,
    TRAINED,
    ExpressionTargets,
    check_expression_targets,
    expression_files,
    head_files,
    training_settings,
    window_settings,
)
from phytoscribe.configuration.regulatory import files_of_head

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
