"""Rule embed_promoters: promoters as points, by what the trunk of the structure model makes of them.

input: databases, accepted, fasta, fai, measured (of the genomes, in one order), windows, model (files of the folder of
    the structure model)
output: points (a gene a line), scores
params: genomes, names (species and lineage of each), upstream (of config key expression), device, seed
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import os
    from pathlib import Path

    os.environ["NUMBA_NUM_THREADS"] = str(snakemake.threads)
    import torch

    from phytoscribe.attribution.embedding import points_of, read_promoters, score_points
    from phytoscribe.evaluation.regression import MEASURES
    from phytoscribe.expression.examples import genome_files
    from phytoscribe.expression.window_table import read_gene_windows
    from phytoscribe.tables import EMBEDDING, write_table

    given, params, output = snakemake.input, snakemake.params, snakemake.output
    torch.set_num_threads(snakemake.threads)
    promoters = read_promoters(
        table=read_gene_windows(given.windows),
        genomes=genome_files(params.genomes, given, params.names),
        upstream=params.upstream,
        model=Path(given.model[0]).parent,
        device=params.device,
        threads=snakemake.threads,
    )
    write_table(points_of(promoters, params.seed), output.points, EMBEDDING)
    write_table(score_points(promoters, params.seed), output.scores, MEASURES)


run_script(main, snakemake)
