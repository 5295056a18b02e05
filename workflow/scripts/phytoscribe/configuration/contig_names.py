"""Contig names of the configuration against those of the genome, before anything has been fetched or trained."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from phytoscribe.configuration.schema import closest
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import open_text

#: Largest FASTA, in bytes as it lies there, whose headers are read at each start: a second or two.
LARGEST_SCAN = 100_000_000
#: Names of a genome that a message lists.
_SHOWN = 8


def contig_mistakes(item: Mapping[str, Any]) -> Iterator[str]:
    """Contigs that one genome of the configuration holds out and that its FASTA does not have.

    The names are looked up in the index that an earlier run made, and where that lacks one, in the local FASTA itself:
    the index may be of the genome that the configuration named before.  A genome that is neither indexed nor a local
    file of at most :data:`LARGEST_SCAN` bytes is not checked here, but by the rules that read it.
    """
    listed = [contig for contigs in (item.get("contigs") or {}).values() for contig in contigs]
    if not listed:
        return
    try:
        known = None
        for file, names in _name_lists(item):
            known = file, names
            if set(listed) <= set(names):
                return
    except PhytoScribeError as error:
        yield str(error)
        return
    if known is None:
        return
    file, names = known
    wrong = [contig for contig in dict.fromkeys(listed) if contig not in set(names)]
    said = ", ".join(f"'{contig}'{closest(contig, names)}" for contig in wrong)
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    yield f"genomes[{item['name']}].contigs: {file} has no {said}; its contigs are {shown}"


def _name_lists(item: Mapping[str, Any]) -> Iterator[tuple[Path, list[str]]]:
    """Files that tell the contig names of a genome, with the names in order; the last is the one to believe."""
    index = Path(f"resources/genomes/{item['name']}/{item['name']}.fa.fai")
    fasta = Path(item["genome"]["path"]) if "path" in item["genome"] else None
    # A source that is newer than its index is fetched again: the index then says nothing.
    is_local = fasta is not None and fasta.is_file() and os.access(fasta, os.R_OK)
    if index.is_file() and not (is_local and fasta.stat().st_mtime > index.stat().st_mtime):
        with open_text(index) as lines:
            yield index, [line.split("\t", 1)[0] for line in lines if line.strip()]
    if is_local and fasta.stat().st_size <= LARGEST_SCAN:
        with open_text(fasta) as lines:
            yield fasta, [line[1:].split(maxsplit=1)[0] for line in lines if line.startswith(">") and line[1:].strip()]
