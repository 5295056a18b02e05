"""What other programs read of a prediction: the same genes, transcripts and proteins as PhytoScribe writes.

The prediction is the released model's, on 42 pieces of 7 kb of the example that cut genes, with `predict.partial` and
the sequence names of a pangenome. Its genes are written anew with the present code, then given to each program.
"""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest

from phytoscribe.annotation.feature_table import checked_prefix, feature_table
from phytoscribe.annotation.gff_reader import read_gff3
from phytoscribe.errors import ConfigError
from phytoscribe.genome import Genome, check_fasta, decode
from phytoscribe.genome.fasta import write_index
from phytoscribe.prediction.merge import PredictionFiles, write_prediction

DATA = Path(__file__).parents[2] / "data/next_programs"
CONTIG = "Chr5_25975502_26975502"
PIECE, STEP, PIECES = 7000, 9000, 42
READ = 100


@pytest.fixture(scope="module")
def prediction(arabidopsis_fasta, tmp_path_factory) -> tuple[Path, Path, PredictionFiles]:
    """A folder, its FASTA and the files of the prediction."""
    folder = tmp_path_factory.mktemp("next")
    fasta = folder / "at.fa"
    raw = folder / "raw.fa"
    with Genome(arabidopsis_fasta) as genome, raw.open("w") as handle:
        for number in range(PIECES):
            start = number * STEP
            handle.write(f">at#1#p{number}\n{decode(genome.bases(CONTIG, start, start + PIECE))}\n")
    check_fasta(raw, fasta)
    write_index(fasta, folder / "at.fa.fai")
    names = ("gff3", "gtf", "proteins.faa", "cds.fna", "transcripts.fna", "stats.json")
    files = PredictionFiles(*(folder / f"at.{name}" for name in names))
    stored = folder / "stored.gff3"
    stored.write_bytes(gzip.decompress((DATA / "prediction.gff3.gz").read_bytes()))
    with Genome(fasta) as genome:
        write_prediction(read_gff3(stored, genome.contigs), genome, genome.contigs, {}, {}, files)
    return folder, fasta, files


def run(folder: Path, *command: object) -> str:
    """Standard output and error of a program; skipped where it is not installed."""
    if not shutil.which(str(command[0])):
        pytest.skip(f"{command[0]} is not installed (tools/install_programs.sh next)")
    done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def records(path: Path) -> dict[str, str]:
    parts = path.read_text().split(">")[1:]
    return {part.split(None, 1)[0]: "".join(part.split("\n")[1:]).upper() for part in parts}


def test_the_prediction_holds_what_is_tried(prediction):
    _, _, files = prediction
    text = files.gff3.read_text()
    assert text.count("\tgene\t") == len(records(files.proteins)) == 83
    assert text.count("\tmRNA\t") == 83
    assert "start_range=.," in text
    assert "end_range=" in text
    assert not any("*" in protein for protein in records(files.proteins).values())


@pytest.mark.parametrize("kind", ["gff3", "gtf"])
def test_gffread_extracts_the_same_sequences(prediction, kind):
    folder, fasta, files = prediction
    run(folder, "gffread", folder / f"at.{kind}", "-g", fasta, "-y", "y.fa", "-x", "x.fa", "-w", "w.fa")
    proteins = {name: protein.rstrip(".*") for name, protein in records(folder / "y.fa").items()}
    assert proteins == records(files.proteins)
    # gffread leaves out the bases before the first whole codon where the contig's end cuts the start.
    phases = {t.id: t.start_phase for gene in read_gff3(files.gff3) for t in gene.transcripts}
    assert any(phases.values())
    assert records(folder / "x.fa") == {name: cds[phases[name] :] for name, cds in records(files.cds).items()}
    assert records(folder / "w.fa") == records(files.transcripts)


def test_genometools_finds_nothing_wrong(prediction):
    folder, _, files = prediction
    assert "input is valid GFF3" in run(folder, "gt", "gff3validator", files.gff3)


def test_bedtools_and_tabix_find_every_gene(prediction):
    folder, fasta, files = prediction
    genes = [line for line in files.gff3.read_text().splitlines() if "\tgene\t" in line]
    (folder / "genes.gff3").write_text("\n".join(genes) + "\n")
    assert run(folder, "bedtools", "getfasta", "-fi", fasta, "-bed", "genes.gff3").count(">") == len(genes)
    run(folder, "bgzip", "-kf", "genes.gff3")
    run(folder, "tabix", "-f", "-p", "gff", "genes.gff3.gz")
    for contig in {line.split("\t")[0] for line in genes}:
        found = run(folder, "tabix", "genes.gff3.gz", contig).splitlines()
        assert found == [line for line in genes if line.startswith(f"{contig}\t")]


@pytest.fixture(scope="module")
def reads(prediction) -> dict[str, int]:
    """Reads of each transcript without errors, in ``reads.fq``; how many each gene has."""
    folder, _, files = prediction
    count = {}
    with (folder / "reads.fq").open("w") as handle:
        for name, sequence in records(files.transcripts).items():
            starts = range(0, len(sequence) - READ + 1, max(1, (len(sequence) - READ) // 20))
            count[name.rsplit(".", 1)[0]] = len(starts)
            for start in starts:
                handle.write(f"@{name}:{start}\n{sequence[start : start + READ]}\n+\n{'I' * READ}\n")
    return count


@pytest.mark.parametrize("kind", ["gff3", "gtf"])
def test_star_and_featurecounts_count_reads_of_every_gene(prediction, reads, kind):
    folder, fasta, _ = prediction
    names = ["--sjdbGTFtagExonParentTranscript", "Parent", "--sjdbGTFtagExonParentGene", "gene_id"]
    annotation, index, out = folder / f"at.{kind}", folder / f"star_{kind}", folder / f"map_{kind}_"
    run(
        folder, "STAR", "--runMode", "genomeGenerate", "--genomeDir", index, "--genomeFastaFiles", fasta,
        "--genomeSAindexNbases", 7, "--sjdbGTFfile", annotation, "--sjdbOverhang", READ - 1,
        "--outFileNamePrefix", f"{out}index_", *(names if kind == "gff3" else []),
    )  # fmt: skip
    run(
        folder, "STAR", "--genomeDir", index, "--readFilesIn", "reads.fq", "--quantMode", "GeneCounts",
        "--alignIntronMax", 10_000, "--outSAMtype", "BAM", "SortedByCoordinate", "--outFileNamePrefix", out,
    )  # fmt: skip
    counted = dict(line.split("\t")[:2] for line in Path(f"{out}ReadsPerGene.out.tab").read_text().splitlines())
    assert {name for name in counted if not name.startswith("N_")} == set(reads)
    close_to(counted, reads)
    bam = f"{out}Aligned.sortedByCoord.out.bam"
    run(folder, "featureCounts", "-a", annotation, "-t", "exon", "-g", "gene_id", "-o", "counts.tsv", bam)
    rows = [line.split("\t") for line in (folder / "counts.tsv").read_text().splitlines()[2:]]
    close_to({row[0]: row[6] for row in rows}, reads)


def close_to(counted: dict[str, str], reads: dict[str, int]) -> None:
    """All but the few reads that also lie on a neighbour are counted."""
    assert all(int(counted[gene]) > 0 for gene in reads)
    assert sum(int(counted[gene]) for gene in reads) >= 0.98 * sum(reads.values())


@pytest.mark.parametrize("kind", ["gff3", "gtf"])
def test_salmon_sums_transcripts_to_every_gene(prediction, reads, kind):
    folder, _, files = prediction
    if not (folder / "salmon").exists():
        run(folder, "salmon", "index", "-t", files.transcripts, "-i", "salmon")
    run(folder, "salmon", "quant", "-i", "salmon", "-l", "A", "-r", "reads.fq", "-g", f"at.{kind}", "-o", f"sum_{kind}")
    rows = (folder / f"sum_{kind}" / "quant.genes.sf").read_text().splitlines()[1:]
    assert {row.split("\t")[0] for row in rows} == set(reads)


@pytest.mark.parametrize(("kind", "option"), [("gff3", "-gff3"), ("gtf", "-gtf22")])
def test_snpeff_agrees_with_every_cds_and_protein(prediction, kind, option):
    folder, fasta, files = prediction
    data = folder / f"snpeff_{kind}" / "at"
    data.mkdir(parents=True)
    names = {f"at.{kind}": "genes.gff" if kind == "gff3" else "genes.gtf", fasta.name: "sequences.fa"}
    names |= {files.cds.name: "cds.fa", files.proteins.name: "protein.fa"}
    for name, copy in names.items():
        shutil.copy(folder / name, data / copy)
    config = data.parent / "snpEff.config"
    config.write_text("at.genome : at\n")
    said = run(folder, "snpEff", "build", "-c", config, "-dataDir", data.parent, option, "-v", "at")
    for what in ("CDS", "Protein"):
        assert f"{what} check:\tat\tOK: 83" in said


def test_ncbis_validator_has_nothing_to_say(prediction):
    """Neither of complete genes nor of those that a contig's end cuts; a CDS moved by one base it does report."""
    folder, fasta, files = prediction
    table = list(feature_table(read_gff3(files.gff3), "PHYT"))
    assert sum(line.startswith("<") or "\t>" in line for line in table) > 30
    cds = next(index for index, line in enumerate(table) if line.endswith("\tCDS") and line[0] != "<")
    first, last, kind = table[cds].split("\t")
    moved = [*table[:cds], f"{int(first) + 1}\t{last}\t{kind}", *table[cds + 1 :]]
    for name, lines in (("right", table), ("moved", moved)):
        shutil.copy(fasta, folder / f"{name}.fsa")
        (folder / f"{name}.tbl").write_text("\n".join(lines) + "\n")
        said = ["-i", f"{name}.fsa", "-f", f"{name}.tbl", "-V", "v", "-a", "s", "-j", "[organism=Arabidopsis thaliana]"]
        run(folder, "tbl2asn", *said)
    assert (folder / "right.val").read_text() == ""
    assert "SEQ_FEAT" in (folder / "moved.val").read_text()


def test_a_submission_needs_a_registered_prefix():
    assert checked_prefix("PHYT", "x") == "PHYT"
    with pytest.raises(ConfigError, match=r"genomes\[x\]\.locus_tag: it is not set\. A submission needs the prefix"):
        checked_prefix("", "x")
    with pytest.raises(ConfigError, match="'1A' is no such prefix"):
        checked_prefix("1A", "x")
