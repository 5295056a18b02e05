"""Rule sample_corpus: pieces of training sequence for the tokenizer, without any held-out base."""

from contextlib import ExitStack

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import Genome
    from phytoscribe.splits.parts import TRAIN, read_parts
    from phytoscribe.tokenizer.corpus import piece_texts, sample_pieces

    given, params = snakemake.input, snakemake.params
    with ExitStack() as stack, atomic_open(snakemake.output.corpus) as handle:
        genomes, allowed = {}, {}
        for name, fasta, path in zip(params.genomes, given.fasta, given.parts, strict=True):
            genomes[name], parts = stack.enter_context(Genome(fasta)), read_parts(path)
            allowed[name] = {contig: parts.of(contig, TRAIN) for contig in parts.contigs}
        pieces = sample_pieces(genomes, allowed, int(params.corpus_bases), int(params.seed))
        handle.writelines(f"{text}\n" for text in piece_texts(pieces, genomes))


run_script(main, snakemake)
