# Functions for the inputs of rules that learn and predict expression.


def measured_genomes():
    """For input: genes and sequence of the genomes whose measured expression trains, chooses or tests heads."""
    names = genomes.learnt_expression
    return {
        "databases": expand("results/clean/{genome}.db", genome=names),
        "accepted": expand("results/clean/{genome}.accepted.gff3", genome=names),
        "fasta": fasta_of(names),
        "fai": fasta_of(names, ".fai"),
    }


def learnt_here():
    """Genomes whose genes the heads that are trained here know by the split."""
    return genomes.learnt_expression if config["expression"]["model"] == "trained" else []


def genes_with_ends(wildcards):
    """The genes whose expression is predicted: of the annotation, or predicted ones, which have UTRs too."""
    if wildcards.genome in genomes.annotated:
        return f"results/clean/{wildcards.genome}.accepted.gff3"
    return f"results/predictions/{wildcards.genome}.gff3"
