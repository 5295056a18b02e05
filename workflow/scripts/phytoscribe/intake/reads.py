"""Read files, joined into one."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Sequence
from pathlib import Path

from phytoscribe.errors import PhytoScribeError
from phytoscribe.files import atomic_path, open_text
from phytoscribe.intake.sources import Source, local_copy

log = logging.getLogger(__name__)

_BLOCK = 1 << 20


def join_reads(sources: Sequence[Source], target: str | Path) -> None:
    """Join FASTQ or FASTA files, plain or gzipped, into one gzip file, the same bytes from the same files.

    Raises:
        PhytoScribeError: a file is missing, truncated, empty, or holds neither FASTQ nor FASTA.
    """
    if not sources:
        raise PhytoScribeError("no read files are given; add them under `isoseq` in the configuration")
    with (
        atomic_path(target) as temporary,
        temporary.open("wb") as raw,
        # No name and no time in the gzip header: they would make the bytes differ from run to run.
        gzip.GzipFile(filename="", mode="wb", compresslevel=4, fileobj=raw, mtime=0) as out,
    ):
        for source in sources:
            with local_copy(source, target) as path, open_text(path) as handle:
                first = handle.read(1)
                if first not in ("@", ">"):
                    raise PhytoScribeError(f"{path}: neither FASTQ nor FASTA: it does not begin with '@' or '>'")
                out.write(first.encode())
                last = first
                while text := handle.read(_BLOCK):
                    out.write(text.encode())
                    last = text[-1]
                if last != "\n":
                    out.write(b"\n")
    log.info("%s: joined from %d file(s)", target, len(sources))
