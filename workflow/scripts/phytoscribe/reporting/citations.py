"""What to cite for a run: only the programs that its configuration uses, for the page and as BibTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from phytoscribe import __version__
from phytoscribe.reporting.inputs import trains


@dataclass(frozen=True)
class Citation:
    """A work to cite for a tool.

    Attributes:
        key: key of the BibTeX entry.
        kind: type of the entry.
        fields: fields of the entry, in order; ``author`` in BibTeX's form.
        use: what the run does with the tool.
    """

    tool: str
    key: str
    kind: str
    use: str
    fields: Mapping[str, str]

    @property
    def text(self) -> str:
        """First author, year, and where it appeared."""
        authors = self.fields["author"].split(" and ")
        first = authors[0].partition(",")[0].strip("{}")
        place = next((self.fields[key] for key in ("journal", "booktitle", "howpublished") if key in self.fields), "")
        several = len(authors) > 2 or authors[-1] == "others"
        where = f"{place} {self.fields.get('volume', '')}".strip()
        if "pages" in self.fields:
            where += f":{self.fields['pages'].replace('--', '-')}"
        return f"{first}{' et al.' if several else ''} {self.fields['year']}, {where}".rstrip(", ")

    @property
    def bibtex(self) -> str:
        lines = [f"  {name} = {{{value}}}," for name, value in self.fields.items()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


def _article(tool: str, key: str, use: str, **fields: str) -> Citation:
    return Citation(tool, key, "article", use, fields)


_PHYTOSCRIBE = Citation(
    "PhytoScribe", "phytoscribe", "software", "the workflow and its model",
    {"author": "{PhytoScribe authors}", "year": "2026", "version": __version__, "howpublished": "software",
     "title": "{PhytoScribe: plant genome annotation with a small neural network and a hard gene grammar}"},
)  # fmt: skip
_SNAKEMAKE = _article(
    "Snakemake", "molder2021snakemake", "runs the workflow",
    author="Mölder, Felix and Jablonski, Kim Philipp and Letcher, Brice and others",
    title="{Sustainable data analysis with Snakemake}", journal="F1000Research", year="2021", volume="10", pages="33",
    doi="10.12688/f1000research.29032.2",
)  # fmt: skip
_PYTORCH = Citation(
    "PyTorch", "paszke2019pytorch", "inproceedings", "the network",
    {"author": "Paszke, Adam and Gross, Sam and Massa, Francisco and others", "year": "2019",
     "title": "{PyTorch: An Imperative Style, High-Performance Deep Learning Library}",
     "booktitle": "Advances in Neural Information Processing Systems", "volume": "32"},
)  # fmt: skip
_TRANSFORMERS = Citation(
    "Transformers", "wolf2020transformers", "inproceedings", "model and tokenizer folders",
    {"author": "Wolf, Thomas and Debut, Lysandre and Sanh, Victor and others", "year": "2020",
     "title": "{Transformers: State-of-the-Art Natural Language Processing}",
     "booktitle": "EMNLP: System Demonstrations", "pages": "38--45", "doi": "10.18653/v1/2020.emnlp-demos.6"},
)  # fmt: skip
_NUMBA = Citation(
    "Numba", "lam2015numba", "inproceedings", "compiled gene decoding",
    {"author": "Lam, Siu Kwan and Pitrou, Antoine and Seibert, Stanley", "year": "2015",
     "title": "{Numba: a LLVM-based Python JIT compiler}", "booktitle": "LLVM-HPC", "pages": "1--6",
     "doi": "10.1145/2833157.2833162"},
)  # fmt: skip
_AGAT = Citation(
    "AGAT", "dainat_agat", "software", "cleans annotations",
    {"author": "Dainat, Jacques", "year": "2020", "title": "{AGAT: Another Gff Analysis Toolkit to handle annotations "
     "in any GTF/GFF format}", "howpublished": "Zenodo", "doi": "10.5281/zenodo.3552717"},
)  # fmt: skip
_CDHIT = _article(
    "CD-HIT", "fu2012cdhit", "groups homologous genes for the split",
    author="Fu, Limin and Niu, Beifang and Zhu, Zhengwei and Wu, Sitao and Li, Weizhong",
    title="{CD-HIT: accelerated for clustering the next-generation sequencing data}", journal="Bioinformatics",
    year="2012", volume="28", pages="3150--3152", doi="10.1093/bioinformatics/bts565",
)  # fmt: skip
_BLAST = _article(
    "BLAST+", "camacho2009blast", "compares sequences",
    author="Camacho, Christiam and Coulouris, George and Avagyan, Vahram and others",
    title="{BLAST+: architecture and applications}", journal="BMC Bioinformatics", year="2009", volume="10",
    pages="421", doi="10.1186/1471-2105-10-421",
)  # fmt: skip
_MINIMAP2 = _article(
    "minimap2", "li2018minimap2", "aligns Iso-Seq reads",
    author="Li, Heng", title="{Minimap2: pairwise alignment for nucleotide sequences}", journal="Bioinformatics",
    year="2018", volume="34", pages="3094--3100", doi="10.1093/bioinformatics/bty191",
)  # fmt: skip
_SAMTOOLS = _article(
    "SAMtools, HTSlib (pysam)", "danecek2021samtools", "compresses and indexes genomes and genes, sorts alignments",
    author="Danecek, Petr and Bonfield, James K. and Liddle, Jennifer and others",
    title="{Twelve years of SAMtools and BCFtools}", journal="GigaScience", year="2021", volume="10",
    pages="giab008", doi="10.1093/gigascience/giab008",
)  # fmt: skip
_PYFAIDX = _article(
    "pyfaidx", "shirley2015pyfaidx", "indexes genomes",
    author="Shirley, Matthew D. and Ma, Zhaorong and Pedersen, Brent S. and Wheelan, Sarah J.",
    title='{Efficient "pythonic" access to FASTA files using pyfaidx}', journal="PeerJ PrePrints", year="2015",
    volume="3", pages="e1196", doi="10.7287/peerj.preprints.970v1",
)  # fmt: skip
_PYBIGWIG = Citation(
    "pyBigWig", "ryan_pybigwig", "software", "writes tracks of probabilities",
    {"author": "Ryan, Devon P. and others", "year": "2016", "title": "{deeptools/pyBigWig}", "howpublished": "Zenodo",
     "doi": "10.5281/zenodo.45238"},
)  # fmt: skip
_BIGWIG = _article(
    "bigWig", "kent2010bigwig", "format of the tracks",
    author="Kent, W. James and Zweig, Ann S. and Barber, Galt and Hinrichs, Angie S. and Karolchik, Donna",
    title="{BigWig and BigBed: enabling browsing of large distributed datasets}", journal="Bioinformatics",
    year="2010", volume="26", pages="2204--2207", doi="10.1093/bioinformatics/btq351",
)  # fmt: skip
_AUGUSTUS = _article(
    "AUGUSTUS", "stanke2008augustus", "the baseline",
    author="Stanke, Mario and Diekhans, Mark and Baertsch, Robert and Haussler, David",
    title="{Using native and syntenically mapped cDNA alignments to improve de novo gene finding}",
    journal="Bioinformatics", year="2008", volume="24", pages="637--644", doi="10.1093/bioinformatics/btn013",
)  # fmt: skip
_BUSCO = _article(
    "BUSCO", "manni2021busco", "completeness by conserved genes",
    author="Manni, Mosè and Berkeley, Matthew R. and Seppey, Mathieu and Simão, Felipe A. and Zdobnov, Evgeny M.",
    title="{BUSCO Update: Novel and Streamlined Workflows along with Broader and Deeper Phylogenetic Coverage}",
    journal="Molecular Biology and Evolution", year="2021", volume="38", pages="4647--4654",
    doi="10.1093/molbev/msab199",
)  # fmt: skip
_MATPLOTLIB = _article(
    "Matplotlib", "hunter2007matplotlib", "draws the figures",
    author="Hunter, John D.", title="{Matplotlib: A 2D Graphics Environment}",
    journal="Computing in Science & Engineering", year="2007", volume="9", pages="90--95", doi="10.1109/MCSE.2007.55",
)  # fmt: skip
_PANDAS = Citation(
    "pandas", "mckinney2010pandas", "inproceedings", "tables",
    {"author": "McKinney, Wes", "year": "2010", "title": "{Data Structures for Statistical Computing in Python}",
     "booktitle": "Proceedings of the 9th Python in Science Conference", "pages": "56--61",
     "doi": "10.25080/Majora-92bf1922-00a"},
)  # fmt: skip
_NUMPY = _article(
    "NumPy", "harris2020numpy", "arrays",
    author="Harris, Charles R. and Millman, K. Jarrod and van der Walt, Stéfan J. and others",
    title="{Array programming with NumPy}", journal="Nature", year="2020", volume="585", pages="357--362",
    doi="10.1038/s41586-020-2649-2",
)  # fmt: skip


def citations_of(config: Mapping[str, Any]) -> list[Citation]:
    """What a run with this validated configuration uses, PhytoScribe first."""
    genomes: Sequence[Mapping[str, Any]] = config.get("genomes", [])
    trained = trains(config)
    annotated = any(genome.get("annotation") for genome in genomes)
    with_tracks = bool(config.get("predict", {}).get("tracks"))
    with_reads = any(genome.get("isoseq") for genome in genomes)
    used = [
        (_PHYTOSCRIBE, True),
        (_SNAKEMAKE, True),
        (_PYTORCH, True),
        (_TRANSFORMERS, True),
        (_NUMBA, True),
        (_AGAT, annotated and config.get("clean", {}).get("backend") == "agat"),
        (_CDHIT, trained),
        (_MINIMAP2, with_reads),
        (_PYFAIDX, True),
        (_SAMTOOLS, True),
        (_PYBIGWIG, with_tracks),
        (_BIGWIG, with_tracks),
        (_BLAST, with_reads or trained),
        (_AUGUSTUS, any(genome.get("augustus") and genome.get("annotation") for genome in genomes)),
        (_BUSCO, bool((config.get("evaluate", {}).get("busco") or {}).get("lineage"))),
        (_MATPLOTLIB, True),
        (_PANDAS, True),
        (_NUMPY, True),
    ]
    return [citation for citation, is_used in used if is_used]


def bibtex(citations: Sequence[Citation]) -> str:
    """A BibTeX file, UTF-8."""
    return "\n\n".join(citation.bibtex for citation in citations) + "\n"
