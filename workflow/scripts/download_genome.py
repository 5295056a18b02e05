"""Rule download_genome: the genome FASTA, checked and written in one form.

config:        the genome's entry (its source, versions and terms) and the section download
params.source: what of the source decides its content; a change of it alone fetches the genome again
output.fasta:  clean FASTA, plain text, lines of 60 bases
output.record: where it comes from, as JSON
"""

from phytoscribe.intake.transfer.attempts import said_once
from phytoscribe.session import run_script


def main(snakemake) -> None:
    from phytoscribe.genome.fasta import check_fasta
    from phytoscribe.intake.records import terms_line, write_record
    from phytoscribe.intake.sources import Downloads, local_copy, wanted_files

    config, output = snakemake.config, snakemake.output
    (wanted,) = wanted_files(config, snakemake.wildcards.genome, "genome", output.fasta)
    with local_copy(wanted, Downloads.of(config["download"])) as (path, record):
        check_fasta(path, output.fasta)
    write_record(output.record, record)
    if record.genome_id is not None:
        print(terms_line(record), flush=True)


run_script(said_once(main), snakemake)
