"""Expression from reads: abundances come back that were simulated, and files that cannot be used are named."""

import json
import shutil

import numpy as np
import pytest
from simulated_reads import FRAGMENT, READ, simulated_pairs, write_fastq

from phytoscribe.annotation.model import GeneModel, Transcript
from phytoscribe.annotation.sequences import transcript_of
from phytoscribe.errors import PhytoScribeError, ToolError
from phytoscribe.expression.levels import measured_levels
from phytoscribe.expression.salmon import Mapped, check_mapped, index_transcripts, quantify_reads
from phytoscribe.genome.fasta import Genome, write_index
from phytoscribe.genome.sequence import decode

needs_salmon = pytest.mark.skipif(
    shutil.which("salmon") is None, reason="salmon is not installed (tools/install_programs.sh)"
)
CONTIG, EXPRESSED, PAIRS = "Chr2", 25, 12_000


@pytest.fixture(scope="module")
def sample(tmp_path_factory, chr2, arabidopsis_fasta):
    """A folder with the FASTA of one contig, the index, pairs, and the true abundances of genes in TPM."""
    folder, (_, genes) = tmp_path_factory.mktemp("salmon"), chr2
    with Genome(arabidopsis_fasta) as genome:
        bases = genome.bases(CONTIG)
    (folder / "g.fa").write_text(f">{CONTIG}\n{decode(bases)}\n")
    write_index(folder / "g.fa", folder / "g.fa.fai")
    sequences = {gene.id: transcript_of(gene.representative, bases) for gene in genes}
    long = {name: text for name, text in sequences.items() if len(text) > 2 * FRAGMENT and "N" not in text}
    chosen = {name: long[name] for name in sorted(long)[:EXPRESSED]}
    levels = dict(zip(chosen, 2.0 ** (np.arange(EXPRESSED) / 3), strict=True))
    pairs = simulated_pairs(chosen, levels, PAIRS, seed=7)
    write_fastq(folder / "1.fq.gz", [(f"{name}/1", one) for name, one, _ in pairs])
    write_fastq(folder / "2.fq", [(f"{name}/2", two) for name, _, two in pairs])
    return folder, levels, pairs


@pytest.fixture(scope="module")
def index(sample, chr2):
    folder = sample[0]
    with Genome(folder / "g.fa") as genome:
        index_transcripts(chr2[1], genome, folder / "g.fa", folder / "index", decoys=True, threads=1)
    return folder / "index"


@needs_salmon
def test_simulated_abundances_come_back(sample, index, chr2):
    folder, levels, _ = sample
    assert json.loads((index / "info.json").read_text())["num_decoys"] == 1
    files = {"pairs": [folder / "1.fq.gz", folder / "2.fq"], "single": [folder / "1.fq.gz"]}
    for name, reads in files.items():
        assert quantify_reads(name, reads, index, folder / name / "quant.sf", threads=1) == []
    found = measured_levels("x", {"salmon": {name: [folder / name / "quant.sf"] for name in files}}, chr2[0])
    table = found.table.set_index("gene")
    assert len(table) == len(chr2[1]), "genes without reads are measured, too"
    for name in files:
        assert table[name].sum() == pytest.approx(1e6, rel=1e-3)
        told = table[name].reindex(levels)
        ranks = np.corrcoef(told.rank(), np.arange(EXPRESSED))[0, 1]
        assert ranks > 0.95
        assert told.sum() > 0.98e6
        share = told.to_numpy() / np.array(list(levels.values())) * sum(levels.values()) / 1e6
        assert 0.8 < np.median(share) < 1.25


@pytest.fixture
def odd_names(tmp_path, monkeypatch):
    """A genome with one contig, and two genes whose transcripts have unlucky names; a salmon that is never called."""
    (tmp_path / "salmon").write_text("#!/bin/sh\nexit 9\n")
    (tmp_path / "salmon").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "g.fa").write_text(f">c\n{'ACGT' * 50}\n")
    write_index(tmp_path / "g.fa", tmp_path / "g.fa.fai")
    genes = [GeneModel(f"g{name}", "c", "+", (Transcript(name, ((0, 90),)),)) for name in ("c", "t 2")]
    with Genome(tmp_path / "g.fa") as genome:
        yield genome, genes


@needs_salmon
def test_reads_of_another_genome_are_told_by_how_few_map(sample, index, tmp_path):
    _, _, pairs = sample
    generator = np.random.default_rng(3)
    strange = [(f"x{number}", "".join(generator.choice(list("ACGT"), READ))) for number in range(1500)]
    ours = [(name, one) for name, one, _ in pairs]
    write_fastq(tmp_path / "mixed.fq", [*ours[:900], *strange])
    (warning,) = quantify_reads("x, leaf, sample 1", [tmp_path / "mixed.fq"], index, tmp_path / "m.sf", threads=1)
    assert "expression of x, leaf, sample 1: 37.5 % of 2,400 reads or pairs map to transcripts" in warning
    write_fastq(tmp_path / "strange.fq", strange)
    few = write_fastq(tmp_path / "few.fq", [*ours[:60], *strange])
    for file, percent in ((few, "3.8 % of 1,560"), (tmp_path / "strange.fq", "0.0 % of 1,500")):
        with pytest.raises(PhytoScribeError, match=rf"{percent} reads or pairs.*another species or genome"):
            quantify_reads("x, leaf, sample 1", [file], index, tmp_path / "f.sf", threads=1)
    assert not (tmp_path / "f.sf").exists()


@needs_salmon
def test_what_salmon_says_of_a_failure_is_told(sample, tmp_path):
    (tmp_path / "index").mkdir()
    with pytest.raises(ToolError, match=r"salmon quant .* failed with exit code 1"):
        quantify_reads("x", [sample[0] / "1.fq.gz"], tmp_path / "index", tmp_path / "q.sf", threads=1)
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_without_salmon_the_message_says_what_to_install(sample, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match=r"salmon is not on PATH, but genomes\[\]\.expression\.reads needs it"):
        quantify_reads("x", [sample[0] / "1.fq.gz"], tmp_path, tmp_path / "q.sf", threads=1)


@pytest.mark.parametrize(("mapped", "warns"), [((100, 50), False), ((1000, 499), True), ((1000, 50), True)])
def test_limits_of_mapped_reads(mapped, warns):
    warnings = check_mapped("x", Mapped(*mapped))
    assert bool(warnings) == warns
    for number in (0, 49):
        with pytest.raises(PhytoScribeError, match="Correct the files, or leave them out"):
            check_mapped("x", Mapped(1000, number))
    with pytest.raises(PhytoScribeError, match=r"0\.0 % of 0 reads"):
        check_mapped("x", Mapped(0, 0))


def test_contigs_and_transcripts_of_one_name_and_names_that_salmon_cuts(odd_names, tmp_path):
    genome, genes = odd_names
    with pytest.raises(PhytoScribeError, match=r"contigs have the names of transcripts \(c\).*decoys: false"):
        index_transcripts(genes[:1], genome, genome.path, tmp_path / "index", decoys=True, threads=1)
    with pytest.raises(PhytoScribeError, match=r"ids of transcripts have spaces in them \(t 2\)"):
        index_transcripts(genes, genome, genome.path, tmp_path / "index", decoys=False, threads=1)
    assert not (tmp_path / "index").exists()
