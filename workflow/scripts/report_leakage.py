"""Rule report_leakage: what lies on two sides of the split, and what blastp still finds across it."""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.splits.homology import best_hits
    from phytoscribe.splits.leakage import broken_promises, held_out_and_train, leakage_table
    from phytoscribe.splits.parts import read_parts
    from phytoscribe.splits.protein_fasta import read_proteins
    from phytoscribe.splits.table import LEAKAGE_COLUMNS, read_loci, read_splits, write_table

    params = snakemake.params
    parts = {name: read_parts(path) for name, path in zip(params.genomes, snakemake.input.parts, strict=True)}
    splits, loci = read_splits(snakemake.input.splits), read_loci(snakemake.input.loci)
    held_out, train = held_out_and_train(splits, loci, read_proteins(snakemake.input.proteins))
    hits = best_hits(held_out, train, snakemake.threads)
    table = leakage_table(splits, loci, hits, parts)
    if broken := broken_promises(table, params.mode, params.roles):
        raise RuntimeError("the split leaks: " + "; ".join(broken))
    write_table(snakemake.output.leakage, table, LEAKAGE_COLUMNS)


run_script(main, snakemake)
