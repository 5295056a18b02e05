"""Rule accept_annotation: the accepted transcripts as GFF3, or a stop if too many do not fit the genome.

params.genome:     name, for messages
params.thresholds: {warn_above, stop_above}, shares of coding transcripts
input.gff3:        cleaned annotation; its header names the cleaner
input.transcripts, .summary, .genes: of check_annotation
input.fai:         index of the genome
output.accepted:   GFF3 with the accepted transcripts only
"""

from phytoscribe.session import run_script, warn


def main(snakemake) -> None:
    from phytoscribe.annotation.checking.acceptance import Thresholds, Verdict, comments_of, judge
    from phytoscribe.annotation.checking.summary import read_summary
    from phytoscribe.annotation.checking.tables import read_transcripts, without_rejected
    from phytoscribe.annotation.gff_reader import read_gff3
    from phytoscribe.annotation.gff_writer import write_gff3
    from phytoscribe.errors import GffError
    from phytoscribe.files import atomic_open
    from phytoscribe.genome.fasta import read_index

    given = snakemake.input
    tables = [str(given.transcripts), str(given.genes)]
    judgement = judge(
        snakemake.params.genome, read_summary(given.summary), Thresholds(**snakemake.params.thresholds), tables
    )
    if judgement.verdict is Verdict.STOP:
        raise GffError(judgement.text)
    if judgement.verdict is Verdict.WARNING:
        warn(judgement.text)
    contigs = read_index(given.fai)
    accepted = without_rejected(read_gff3(given.gff3, contigs), read_transcripts(given.transcripts))
    header = [*comments_of(given.gff3), "transcripts accepted by check_annotation"]
    with atomic_open(snakemake.output.accepted) as handle:
        write_gff3(handle, accepted, contigs, header=header)


run_script(main, snakemake)
