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
        check_expression_targets(sys.argv[1:], config)
    except ConfigError as error:
        raise WorkflowError(str(error)) from None


def learnt_here():
    """Genomes whose genes the heads that are trained here know by the split."""
    return genomes.learnt_expression if expression_targets.trained else []


def targets_of_heads():
    """All that the heads for regulation and expression make without being named."""
    return regulatory_files.targets() + expression_targets.targets()


def expression_heads():
    """Files of the expression heads that predict: of those that are trained here, or of a folder."""
    files = head_files(config["expression"]["model"])
    return files if expression_targets.trained else given(files)


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
    return ends_of(wildcards.genome)


def ends_of(genome):
    """The same file, by the name of the genome."""
    return (
        f"results/clean/{genome}.accepted.gff3" if genome in genomes.annotated else f"results/predictions/{genome}.gff3"
    )
