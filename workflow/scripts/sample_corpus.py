"""Rule sample_corpus: pieces of training sequence for the tokenizer, without any held-out base.

input: fasta (list; order as in params.genomes), fai (list beside them), splits (TSV)
output: corpus (text, one piece a line)
params: genomes (names of the genomes of role train), mode, contig_parts ({genome: {contig: part}}), flank,
    corpus_bases, seed
"""

from contextlib import ExitStack

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import Genome
    from phytoscribe.genome.intervals import complement
    from phytoscribe.splits.held_out import TRAIN, held_out_intervals
    from phytoscribe.splits.table import read_splits
    from phytoscribe.tokenizer.corpus import piece_texts, sample_pieces

    params = snakemake.params
    splits = read_splits(snakemake.input.splits)
    with ExitStack() as stack, atomic_open(snakemake.output.corpus) as handle:
        genomes, allowed = {}, {}
        for name, fasta in zip(params.genomes, snakemake.input.fasta, strict=True):
            genomes[name] = genome = stack.enter_context(Genome(fasta))
            parts = params.contig_parts.get(name, {})
            held_out = held_out_intervals(splits, name, genome.contigs, TRAIN, params.mode, parts, int(params.flank))
            allowed[name] = {contig: complement(held_out[contig], length) for contig, length in genome.contigs.items()}
        pieces = sample_pieces(genomes, allowed, int(params.corpus_bases), int(params.seed))
        handle.writelines(f"{text}\n" for text in piece_texts(pieces, genomes))


run_script(main, snakemake)
