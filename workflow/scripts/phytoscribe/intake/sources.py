"""Provide the complete, checked file behind a source in the configuration while it is read.

A source is a mapping with exactly one of ``path``, ``url`` and ``phytozome``, and optionally the expected ``sha256``,
``md5`` and ``size`` of the file as it is served.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout

from phytoscribe.errors import DownloadError, PhytoScribeError
from phytoscribe.file_kinds import text_kind
from phytoscribe.files import atomic_open, digests_of, open_text
from phytoscribe.intake.phytozome.client import fetch_file, resolve, versions_of
from phytoscribe.intake.phytozome.listing import Downloads, shown_query
from phytoscribe.intake.records import SourceRecord, Statement, check_pair, terms_line, write_record
from phytoscribe.intake.transfer.addresses import shown_url
from phytoscribe.intake.transfer.transfer import Expected, fetch

log = logging.getLogger(__name__)

Source = Mapping[str, Any]

_SECONDS_BETWEEN_TRIES = 0.25
#: The empty block that ends every bgzip file (SAM/BAM format specification, section 4.1.2).
_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")

#: Escaped bytes to letters of Windows-1252, a superset of Latin-1; five bytes mean nothing in it.
_LATIN1 = {0xDC00 + byte: bytes([byte]).decode("cp1252", errors="ignore") or "\0" for byte in range(128, 256)}
#: Keys of a sample of RNA-seq reads: a file of single reads or of the first reads of pairs, and that of their mates.
MATES = ("first", "second")
_URL = re.compile(r"[A-Za-z][\w+.-]*://")
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1f]")


@dataclass(frozen=True)
class Wanted:
    """A file that the configuration asks for.

    Attributes:
        genome: name of the genome.
        kind: ``genome``, ``annotation``, ``isoseq`` or ``rnaseq``.
        source: where the file comes from.
        output: the file that will be made from it; downloads are kept in its folder while they are needed.
        terms: licence or usage terms, in the user's words.
        number: counts the files of one output, from 1.
    """

    genome: str
    kind: str
    source: Source
    output: str | Path
    terms: str = ""
    number: int = 1


def wanted_files(config: Mapping[str, Any], genome: str, kind: str, output: str | Path) -> list[Wanted]:
    """The files of one kind that a checked configuration gives for a genome: one file, or several for reads."""
    item = _item(config, genome)
    sources = item[kind] if kind == "isoseq" else [item[kind]]
    terms = item.get("terms", "")
    return [Wanted(genome, kind, source, output, terms, number) for number, source in enumerate(sources, start=1)]


def reads_of_samples(source: Source | None) -> dict[tuple[str, int, str], dict[str, Any]]:
    """Where each file of RNA-seq reads comes from, by tissue, number of its sample (from 1), and mate.

    Args:
        source: ``genomes[].expression``, where a file is its path, its URL, or a mapping of one of these with a
            checksum.
    """
    return {
        (tissue, number, mate): _source_of(sample[mate])
        for tissue, samples in ((source or {}).get("reads") or {}).items()
        for number, sample in enumerate(samples, start=1)
        for mate in MATES
        if mate in sample
    }


def _source_of(given: str | Source) -> dict[str, Any]:
    if isinstance(given, str):
        return {"url" if _URL.match(given) else "path": given}
    return dict(given)


def wanted_rnaseq(config: Mapping[str, Any], genome: str, sample: tuple[str, int, str], output: str | Path) -> Wanted:
    """One file of RNA-seq reads of a genome; ``sample`` is a key of :func:`reads_of_samples`."""
    item = _item(config, genome)
    return Wanted(genome, "rnaseq", reads_of_samples(item["expression"])[sample], output, item.get("terms", ""))


def _item(config: Mapping[str, Any], genome: str) -> Mapping[str, Any]:
    (item,) = [item for item in config["genomes"] if item["name"] == genome]
    return item


def take_in(
    wanted: Wanted,
    config: Mapping[str, Any],
    record_path: str | Path,
    write: Callable[[Path, str | Path], object],
    genome: SourceRecord | None = None,
) -> None:
    """Fetch one file, write it in the format that the workflow reads, and record where it comes from.

    Phytozome's usage terms are printed the first time they occur.

    Args:
        record_path: the JSON file for its record.
        write: called with the path of the content and that of the output.
        genome: for an annotation, the record of the genome it must belong to.

    Raises:
        PhytoScribeError: see :func:`local_copy`; or the annotation was made on another genome.
    """
    with local_copy(wanted, Downloads.of(config["download"])) as (path, record):
        if genome is not None:
            check_pair(genome, record)
        write(path, wanted.output)
    write_record(record_path, record)
    if record.genome_id not in (None, genome and genome.genome_id):
        print(terms_line(record), flush=True)


@contextmanager
def local_copy(wanted: Wanted, downloads: Downloads) -> Iterator[tuple[Path, SourceRecord]]:
    """Yield a local path with the checked content of a source, and its record, for the duration of the block.

    A local file is used in place.  Other sources are fetched into the folder of the output, where a full ``/tmp`` does
    no harm, and removed at the end.  An interrupted download resumes.  Two processes that want the same output take
    turns.

    Raises:
        PhytoScribeError: the file is missing, cannot be fetched, or is not what the source says.  Messages of the
            block that name the fetched file name its source instead.
    """
    if "path" in wanted.source:
        path = Path(wanted.source["path"])
        if not os.path.isfile(path):
            raise PhytoScribeError(f"{path}: no such file; correct the path in the configuration")
        yield path, _checked_record(wanted, path, str(path), path.name)
        return
    output = Path(wanted.output)
    fetched = output.with_name(f".{output.name}.{wanted.number}.source")
    with _alone(fetched.with_name(f"{fetched.name}.lock"), shown_source(wanted.source)):
        name = ""
        try:
            record = _fetch(wanted, fetched, downloads)
            is_named = record.source.endswith(record.file_name)
            name = record.source if is_named else f"{record.source}, {record.file_name}"
            yield fetched, record
        except PhytoScribeError as error:
            # The fetched file is gone when the user reads this.
            if not name or str(fetched) not in str(error):
                raise
            raise type(error)(str(error).replace(str(fetched), name)) from error
        finally:
            fetched.unlink(missing_ok=True)


@contextmanager
def _alone(lock_path: Path, shown: str) -> Iterator[None]:
    """Hold a lock file, waiting for any process that holds it; the lock of a dead process is released."""
    lock = FileLock(lock_path, poll_interval=_SECONDS_BETWEEN_TRIES)
    try:
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            log.info("%s: another process is fetching it; waiting (lock %s)", shown, lock_path)
            lock.acquire()
    except OSError as error:
        raise DownloadError(
            f"{shown}: nothing can be written into {lock_path.parent} ({error.strerror}); check the folder"
        ) from error
    try:
        yield
    finally:
        # Removed while held: whoever waits for it notices and makes a new one.
        lock_path.unlink(missing_ok=True)
        lock.release()


def shown_source(source: Source) -> str:
    """A fetched source as a user would write it, without credentials."""
    return shown_url(source["url"]) if "url" in source else shown_query(source["phytozome"])


def copy_text(source: Path, target: str | Path) -> int:
    """Copy an annotation, plain or compressed, to plain UTF-8 text and return the number of lines.

    Bytes that are not UTF-8 are read as Latin-1 (as on Windows) with a warning: in annotations they are accented
    letters in descriptions, which do not affect genes.

    Raises:
        PhytoScribeError: the source is not text, is empty or truncated, or begins like another kind of data.
    """
    count, converted, first = 0, [], None
    # Such a byte is read as a code point of its own, which cannot be written.
    with atomic_open(target) as out, open_text(source, errors="surrogateescape") as lines:
        for count, line in enumerate(lines, start=1):
            if first is None and line.strip():
                first = count, text_kind(line)
            try:
                out.write(line)
            except UnicodeEncodeError:
                out.write(_from_latin1(line, f"{source}, line {count}"))
                converted.append(count)
        if not count:
            raise PhytoScribeError(f"{source}: the file is empty; correct its source in the configuration")
        if first is not None and first[1] not in ("", "GFF"):
            raise PhytoScribeError(
                f"{source}, line {first[0]}: this is no annotation, it looks like {first[1]}; a GFF3 or GTF file is "
                "needed"
            )
    if converted:
        log.warning(
            f"{source}: {len(converted)} line(s) are not UTF-8 text, the first is line {converted[0]}; they were read "
            "as Latin-1 (Windows-1252). If letters look wrong, convert the file: iconv -f ENCODING -t utf-8"
        )
    log.info("%s: %d lines", target, count)
    return count


def _from_latin1(line: str, where: str) -> str:
    """A line with escaped bytes in place of Latin-1 letters, with these letters."""
    text = line.translate(_LATIN1)
    if _CONTROL.search(text):
        raise PhytoScribeError(
            f"{where}: neither UTF-8 nor Latin-1, or not a text file; correct the path, or convert the file with: "
            "iconv -f ENCODING -t utf-8"
        )
    return text


def _fetch(wanted: Wanted, fetched: Path, downloads: Downloads) -> SourceRecord:
    """Fetch a source that is not local; its record."""
    source = wanted.source
    if "url" in source:
        expected = Expected(source.get("size"), source.get("sha256"), source.get("md5"))
        fetch(source["url"], fetched, expected, downloads.settings, wait=downloads.wait)
        parts = urlsplit(source["url"])
        file_name = unquote(PurePosixPath(parts.path).name.partition(";")[0]) or parts.netloc.rpartition("@")[2]
        return _checked_record(wanted, fetched, shown_source(source), file_name)
    found = resolve(source["phytozome"], downloads)
    file = found.genome if wanted.kind == "genome" else found.annotation
    fetch_file(file, fetched, downloads)
    proteome = found.annotation.proteome
    shown = f"Phytozome {found.genome_id}" + (f" ({proteome})" if proteome else "")
    assembly = versions_of(found.genome, found.genome.assembly_version)
    annotation = versions_of(found.annotation, found.annotation.annotation_version)
    record = _checked_record(wanted, fetched, shown, file.file_name)
    return replace(record, provider=Statement(assembly, annotation, found.terms), genome_id=found.genome_id)


def _checked_record(wanted: Wanted, path: Path, shown: str, file_name: str) -> SourceRecord:
    """The record of a file that has arrived, after the comparison with what its source says of it."""
    try:
        found: dict[str, Any] = {"size": path.stat().st_size, **digests_of(path, "sha256", "md5")}
    except OSError as error:
        raise PhytoScribeError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    _compare(wanted.source, shown, found)
    _require_end(path, shown)
    log.info("%s: %s, %d bytes, sha256 %s", shown, file_name, found["size"], found["sha256"])
    return SourceRecord(
        genome=wanted.genome,
        kind=wanted.kind,
        file=str(wanted.output),
        source=shown,
        file_name=file_name,
        date=datetime.now(UTC).date().isoformat(),
        declared=Statement.of_source(wanted.kind, wanted.source, wanted.terms),
        **found,
    )


def _compare(source: Source, shown: str, found: Mapping[str, int | str]) -> None:
    """Compare a file with the ``size``, ``sha256`` and ``md5`` of its source, and log what was and was not compared."""
    compared = [key for key in found if key in source]
    for key in compared:
        expected = source[key].lower() if isinstance(source[key], str) else source[key]
        if found[key] != expected:
            raise PhytoScribeError(
                f"{shown}: the {key} is {found[key]}, the configuration expects {expected}; "
                f"the file was changed or damaged: get it again, or correct the {key}"
            )
    if compared:
        log.info("%s: %s as the configuration expects", shown, " and ".join(compared))
    if not {"sha256", "md5"} & set(compared):
        log.info("%s: the configuration gives no checksum to compare with", shown)


def _require_end(path: Path, shown: str) -> None:
    """Refuse a bgzip file that was cut between two of its blocks, which no gzip reader notices."""
    with path.open("rb") as handle:
        head = handle.read(len(_BGZIP_END))
        handle.seek(-len(head), os.SEEK_END)
        end = handle.read()
    if head[:4] == _BGZIP_END[:4] and head[12:16] == _BGZIP_END[12:16] and end != _BGZIP_END:
        raise PhytoScribeError(
            f"{shown}: this bgzip file does not end with bgzip's end mark, so it was most likely cut off; get it "
            "again, or if it is whole, unpack it and give the plain file"
        )
