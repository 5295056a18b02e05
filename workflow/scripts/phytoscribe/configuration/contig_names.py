"""Check contig names in the configuration against the genome, before anything is fetched or trained."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from phytoscribe.configuration.schema import closest
from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import open_text
from phytoscribe.intake.records import read_records
from phytoscribe.intake.transfer.addresses import shown_url

#: Largest FASTA, in bytes as it lies there, whose headers are read at each start: a second or two.
LARGEST_SCAN = 100_000_000
#: Names of a genome that a message lists.
_SHOWN = 8


def contig_mistakes(item: Mapping[str, Any]) -> Iterator[str]:
    """Find contigs that the configuration names and the genome's FASTA lacks: one line for each key.

    Names are looked up in the index from an earlier run, and if it lacks one, in the local FASTA itself, because the
    index may belong to a genome configured earlier.  A genome that is neither indexed nor a local file of at most
    :data:`LARGEST_SCAN` bytes is checked later, by the rules that read it.
    """
    listed = _listed_names(item)
    wanted = {name for names in listed.values() for name in names}
    known = None
    try:
        for known in _name_lists(item) if listed else ():
            if wanted <= set(known[1]):
                return
    except PhytoScribeError as error:
        yield str(error)
        return
    if known is None:
        return
    file, names = known
    there = set(names)
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    for key, given in listed.items():
        wrong = [name for name in dict.fromkeys(given) if name not in there]
        if wrong:
            said = ", ".join(f"'{name}'{closest(name, names)}" for name in wrong)
            yield f"genomes[{item['name']}].{key}: {file} has no {said}; its contigs are {shown}"


def _listed_names(item: Mapping[str, Any]) -> dict[str, list[str]]:
    """Contigs that the configuration names, by key; those of a table of sequence names are left to its reader."""
    renamed = item.get("seqid_map")
    listed = {
        "contigs": [contig for contigs in (item.get("contigs") or {}).values() for contig in contigs],
        "organelles": list(item.get("organelles") or ()),
        "seqid_map": [name for name in renamed.values() if name] if isinstance(renamed, Mapping) else [],
    }
    return {key: names for key, names in listed.items() if names}


def _name_lists(item: Mapping[str, Any]) -> Iterator[tuple[Path, list[str]]]:
    """Files with the contig names of a genome, and the names in order; the last one takes precedence."""
    index = Path(f"resources/genomes/{item['name']}/{item['name']}.fa.fai")
    fasta = Path(item["genome"]["path"]) if "path" in item["genome"] else None
    is_local = fasta is not None and os.path.isfile(fasta) and os.access(fasta, os.R_OK)
    # A local source that is newer than its index is fetched again: the index then says nothing.
    is_current = index.is_file() and (
        fasta.stat().st_mtime <= index.stat().st_mtime if is_local else _was_fetched(item["genome"], index)
    )
    if is_current:
        with open_text(index) as lines:
            yield index, [line.split("\t", 1)[0] for line in lines if line.strip()]
    if is_local and fasta.stat().st_size <= LARGEST_SCAN:
        with open_text(fasta) as lines:
            yield fasta, [line[1:].split(maxsplit=1)[0] for line in lines if line.startswith(">") and line[1:].strip()]


def _was_fetched(source: Mapping[str, Any], index: Path) -> bool:
    """True if the genome beside the index is the one that this source names now."""
    try:
        (record,) = read_records(index.with_name("genome.source.json"))
    except PhytoScribeError:
        return False
    if "url" in source:
        return record.source == shown_url(source["url"])
    return record.genome_id is not None and record.genome_id == source.get("phytozome", {}).get("genome_id")
