"""Rule build_training_set: everything that training reads, in one folder."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.training.data.genomes import SplitGenome, build_training_set

    given, params = snakemake.input, snakemake.params
    files = zip(params.genomes, given.fasta, given.parts, given.annotation, given.rejected, strict=True)
    genomes = [
        SplitGenome(genome.pop("name"), *paths, **genome) for genome, *paths in ((dict(g), *p) for g, *p in files)
    ]
    sequence = [(*named, fasta) for named, fasta in zip(params.sequence, given.sequence, strict=True)]
    build_training_set(genomes, Path(snakemake.output[0]).parent, sequence, params.introns, params.sets)


run_script(main, snakemake)
