"""Rule train_tokenizer: the DNA tokenizer, a `transformers` fast tokenizer.

input: corpus
output: tokenizer (.../tokenizer.json), config (.../tokenizer_config.json), stats (.../stats.json); one folder
params: kind (bpe or kmer), vocabulary (bpe), k (kmer), species (names of the genomes of role train),
    lineages (their lineages)
"""

from pathlib import Path

from phytoscribe.session import run_script


def main(snakemake) -> None:
    import json

    from phytoscribe.files import atomic_open
    from phytoscribe.tokenizer.training import describe_tokenizer, make_tokenizer, save_tokenizer

    params, output = snakemake.params, snakemake.output
    folder = Path(output.tokenizer).parent
    tokenizer = make_tokenizer(
        params.kind, snakemake.input.corpus, params.vocabulary, params.k, params.species, params.lineages
    )
    save_tokenizer(tokenizer, folder, (Path(output.tokenizer).name, Path(output.config).name))
    with atomic_open(output.stats) as handle:
        json.dump(describe_tokenizer(folder, snakemake.input.corpus, params.kind), handle, indent=2)
        handle.write("\n")


run_script(main, snakemake)
