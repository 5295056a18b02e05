"""Rule describe_tracks: an IGV session and a JBrowse 2 configuration for the files in the folder of the tracks.

input: annotations, bigwigs, reads and junctions (each may be empty), genome, fai
output: igv, jbrowse
params: genome, contigs (those predicted, or None for all)
further input: labels (the folder of tracks of binding sites and open chromatin, or none), importance (or none)
"""

from phytoscribe.session import run_script


def main(snakemake) -> None:
    from pathlib import Path

    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import chosen_contigs, read_index
    from phytoscribe.tracks.browsers import TrackFolder, igv_session, jbrowse_config, with_importance, with_labels

    contigs = read_index(snakemake.input.fai)
    folder = TrackFolder.of(
        Path(snakemake.input.genome).parent,
        snakemake.params.genome,
        contigs,
        list(chosen_contigs(contigs, snakemake.params.contigs)),
        [Path(file).name.removesuffix(".gff3.gz") for file in snakemake.input.annotations],
        with_probabilities=bool(snakemake.input.bigwigs),
        with_reads=bool(snakemake.input.reads),
        with_junctions=bool(snakemake.input.junctions),
    )
    if snakemake.input.labels:
        folder = with_labels(folder, sorted(path.stem for path in Path(snakemake.input.labels[0]).glob("*.bw")))
    if snakemake.input.importance:
        folder = with_importance(folder)
    for path, text in ((snakemake.output.igv, igv_session(folder)), (snakemake.output.jbrowse, jbrowse_config(folder))):
        with atomic_open(path) as handle:
            handle.write(text)


run_script(main, snakemake)
