"""References that a run should cite, for the page and as BibTeX, and the versions of its programs."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from phytoscribe import __version__
from phytoscribe.errors import PhytoScribeError
from phytoscribe.noncoding import chosen_programs
from phytoscribe.reporting.inputs import trains

#: All works that a run may cite; ``VERSION`` stands for the version of PhytoScribe.
REFERENCES = Path(__file__).parents[3] / "report" / "references.bib"
_ENTRY = re.compile(r"^@\w+\{([^,\s]+),\n.*?^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^  (\w+) = \{(.*)\},$", re.MULTILINE)
PACKAGES = (
    "snakemake", "torch", "pytorch-lightning", "transformers", "tokenizers", "numba", "numpy", "pandas",
    "pyfaidx", "pysam", "pybarrnap", "pyhmmer", "captum", "modisco-lite", "memelite", "matplotlib", "jinja2",
)  # fmt: skip
#: Program, its option for the version, and where the version is in its answer.
PROGRAMS = (
    ("cd-hit", "-h", r"version ([\w.]+)"),
    ("blastn", "-version", r"blastn: ([\w.+]+)"),
    ("minimap2", "--version", r"(\S+)"),
    ("miniprot", "--version", r"(\S+)"),
    ("augustus", "--version", r"\(([\w.]+)\)"),
    ("salmon", "--version", r"salmon ([\w.]+)"),
    ("curl", "--version", r"curl ([\w.]+)"),
    ("aragorn", "-h", r"ARAGORN v([\w.]+)"),
    ("cmscan", "-h", r"INFERNAL ([\w.]+)"),
    ("gt", "--version", r"GenomeTools\) ([\w.]+)"),
)


@dataclass(frozen=True)
class Citation:
    """A work to cite for a tool.

    Attributes:
        use: what the run does with the tool.
        bibtex: the BibTeX entry.
        fields: fields of the entry, in order; ``author`` in BibTeX's form.
    """

    tool: str
    use: str
    bibtex: str
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


def read_references(path: str | Path = REFERENCES) -> dict[str, tuple[str, dict[str, str]]]:
    """Text and fields of each entry by its key, from a BibTeX file with one ``  name = {value},`` per line.

    Raises:
        PhytoScribeError: an entry or a field has another form, or a key is repeated.
    """
    text = Path(path).read_text(encoding="utf-8").replace("{VERSION}", f"{{{__version__}}}")
    entries = {found[1]: (found[0], dict(_FIELD.findall(found[0]))) for found in _ENTRY.finditer(text)}
    lines = sum(2 + len(fields) for _, fields in entries.values())
    if lines != sum(bool(line.strip()) for line in text.splitlines()):
        raise PhytoScribeError(f"{path}: each field needs a line `  name = {{value}},`, each entry a key of its own")
    return entries


def citations_of(config: Mapping[str, Any]) -> list[Citation]:
    """Citations for the tools that a run with this validated configuration uses, PhytoScribe first."""
    genomes: Sequence[Mapping[str, Any]] = config.get("genomes", [])
    trained = trains(config)
    annotated = any(genome.get("annotation") for genome in genomes)
    with_tracks = bool(config.get("predict", {}).get("tracks"))
    busco = (config.get("evaluate", {}).get("busco") or {}).get("lineage")
    baseline = any(genome.get("augustus") and genome.get("annotation") for genome in genomes)
    with_reads = any(genome.get("isoseq") for genome in genomes)
    with_proteins = any((genome.get("evidence") or {}).get("proteins") for genome in genomes)
    with_rnaseq = any((genome.get("expression") or {}).get("reads") for genome in genomes)
    programs = chosen_programs(config)
    attribution = config.get("attribution") or {}
    attributed = attribution.get("labels")
    explained = attributed or attribution.get("genes")
    works = read_references()
    used: list[tuple[str, str, str, Any]] = [
        ("phytoscribe", "PhytoScribe", "the workflow and its model", True),
        ("molder2021snakemake", "Snakemake", "runs the workflow", True),
        ("paszke2019pytorch", "PyTorch", "the network", True),
        ("wolf2020transformers", "Transformers", "model and tokenizer folders", True),
        ("lam2015numba", "Numba", "compiled gene decoding", True),
        ("dainat_agat", "AGAT", "cleans annotations", annotated and config.get("clean", {}).get("backend") == "agat"),
        ("fu2012cdhit", "CD-HIT", "groups homologous genes for the split", trained),
        ("li2018minimap2", "minimap2", "aligns Iso-Seq reads", with_reads),
        ("li2023miniprot", "miniprot", "aligns proteins", with_proteins),
        ("patro2017salmon", "salmon", "quantifies RNA-seq reads", with_rnaseq),
        ("shirley2015pyfaidx", "pyfaidx", "indexes genomes", True),
        ("danecek2021samtools", "SAMtools, HTSlib (pysam)", "compresses and indexes files, sorts alignments", True),
        ("ryan_pybigwig", "pyBigWig", "writes tracks", with_tracks or attribution.get("genes")),
        ("kent2010bigwig", "bigWig", "format of the tracks", with_tracks or attribution.get("genes")),
        ("camacho2009blast", "BLAST+", "compares sequences", with_reads or trained),
        ("stanke2008augustus", "AUGUSTUS", "the baseline", baseline),
        ("laslett2004aragorn", "ARAGORN", "finds tRNA genes", programs.get("tRNA") == "aragorn"),
        ("chan2021trnascan", "tRNAscan-SE", "finds tRNA genes", programs.get("tRNA") == "trnascan"),
        ("shimoyama_pybarrnap", "pybarrnap", "finds rRNA genes", programs.get("rRNA") == "barrnap"),
        ("wheeler2013nhmmer", "nhmmer (pyhmmer)", "searches for rRNA genes", programs.get("rRNA") == "barrnap"),
        ("nawrocki2013infernal", "Infernal", "finds other RNA genes", "ncRNA" in programs),
        ("ontiveros2025rfam", "Rfam", "families of RNA", "ncRNA" in programs),
        ("manni2021busco", "BUSCO", "completeness by conserved genes", busco),
        ("sundararajan2017axiomatic", "integrated gradients", "attribute predictions to bases", explained),
        ("kokhlikyan2020captum", "Captum", "computes attributions", explained),
        ("shrikumar2018modisco", "TF-MoDISco", "finds motifs in attributions", attributed),
        ("gupta2007tomtom", "TOMTOM (memelite)", "compares motifs", attributed),
        ("grant2011fimo", "FIMO (memelite)", "finds instances of motifs", attributed),
        ("rauluseviciute2024jaspar", "JASPAR", "known motifs", attributed),
        ("mcinnes2018umap", "UMAP", "draws promoters as points", (config.get("attribution") or {}).get("promoters")),
        ("hunter2007matplotlib", "Matplotlib", "draws the figures", True),
        ("mckinney2010pandas", "pandas", "tables", True),
        ("harris2020numpy", "NumPy", "arrays", True),
    ]
    return [Citation(tool, use, *works[key]) for key, tool, use, is_used in used if is_used]


def bibtex(citations: Sequence[Citation]) -> str:
    """A BibTeX file, UTF-8."""
    return "\n\n".join(citation.bibtex for citation in citations) + "\n"


def versions() -> list[tuple[str, str]]:
    """(name, version) of PhytoScribe, Python, the installed packages and the programs on PATH."""
    found = [("PhytoScribe", __version__), ("Python", platform.python_version())]
    installed = {(item.metadata["Name"] or "").lower(): item.version for item in metadata.distributions()}
    found += [(name, installed[name]) for name in PACKAGES if name in installed]
    for program, option, pattern in PROGRAMS:
        if path := shutil.which(program):
            done = subprocess.run([path, option], capture_output=True, text=True, check=False)
            matched = re.search(pattern, done.stdout + done.stderr)
            found.append((program, matched.group(1) if matched else "unknown"))
    return found
