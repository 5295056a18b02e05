"""Sources of the configuration: paths, URLs and Phytozome, checked and recorded; and reads, joined from several."""

from __future__ import annotations

import bz2
import fcntl
import gzip
import hashlib
import io
import lzma
import re
import tarfile
import threading
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock, Timeout

from phytoscribe.errors import DownloadError, FastaError, PhytoScribeError
from phytoscribe.genome.fasta import check_fasta
from phytoscribe.genome.intervals import read_bed
from phytoscribe.intake import sources
from phytoscribe.intake.phytozome.client import PhytozomeGenome
from phytoscribe.intake.phytozome.listing import PhytozomeFile
from phytoscribe.intake.reads import join_reads
from phytoscribe.intake.sources import Downloads, Wanted, copy_text, local_copy, wanted_files

EXAMPLE = Path(__file__).parents[3] / "resources" / "example" / "athaliana"
FIELD_CASES = Path(__file__).parents[2] / "data" / "field_cases"
BODY = b">a\nACGT\n" * 1000
SHA256, MD5 = hashlib.sha256(BODY).hexdigest(), hashlib.md5(BODY).hexdigest()
#: Two blocks of bgzip and its end mark, as `printf '>a\nAC\n' | bgzip` and so on write them.
BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def bgzip(*texts: bytes) -> bytes:
    """A bgzip file with one block for each text."""
    blocks = []
    for text in texts:
        plain = gzip.compress(text, mtime=0)
        head, rest = plain[:3] + b"\x04" + plain[4:10], plain[10:]
        size = len(plain) + 8 - 1
        blocks.append(head + b"\x06\x00BC\x02\x00" + size.to_bytes(2, "little") + rest)
    return b"".join(blocks) + BGZIP_END


def wanted(tmp_path, source, kind="genome") -> Wanted:
    return Wanted("x", kind, source, tmp_path / "out" / "x.fa")


def nothing_left(tmp_path) -> bool:
    return not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def message_of(tmp_path, source) -> str:
    with pytest.raises(PhytoScribeError) as caught, local_copy(wanted(tmp_path, source), Downloads()):
        pass
    assert nothing_left(tmp_path)
    return str(caught.value)


@pytest.fixture
def served(tmp_path):
    """A file with its path and its address."""
    file = tmp_path / "a file.fa"
    file.write_bytes(BODY)
    (tmp_path / "a file.fa;jsessionid=abc").write_bytes(BODY)
    return SimpleNamespace(path=file, url=file.as_uri())


def test_a_local_file_is_used_where_it_lies(tmp_path, served):
    source = {"path": str(served.path), "sha256": SHA256.upper(), "md5": MD5, "size": len(BODY)}
    with local_copy(wanted(tmp_path, source), Downloads()) as (path, record):
        assert path == served.path
    assert path.exists()
    assert (record.source, record.file_name, record.size) == (str(served.path), "a file.fa", len(BODY))
    assert (record.sha256, record.md5) == (SHA256, MD5)


def test_a_url_is_fetched_checked_recorded_and_removed(tmp_path, served):
    source = {"url": served.url, "sha256": SHA256, "version": "v1"}
    with local_copy(wanted(tmp_path, source), Downloads()) as (path, record):
        assert path.parent == tmp_path / "out"
        assert path.read_bytes() == BODY
    assert nothing_left(tmp_path)
    assert (record.source, record.file_name) == (served.url, "a file.fa")
    assert (record.size, record.sha256, record.md5) == (len(BODY), SHA256, MD5)
    assert record.date == datetime.now(UTC).date().isoformat()
    assert record.assembly_versions == ("v1",)


def test_missing_file(tmp_path):
    assert "nowhere.fa: no such file" in message_of(tmp_path, {"path": "nowhere.fa"})


@pytest.mark.parametrize(
    ("key", "value", "found"), [("sha256", "0" * 64, SHA256), ("md5", "0" * 32, MD5), ("size", 7, str(len(BODY)))]
)
def test_what_the_configuration_expects_is_compared(tmp_path, served, key, value, found):
    message = message_of(tmp_path, {"path": str(served.path), key: value})
    assert f"a file.fa: the {key} is {found}, the configuration expects {value}" in message
    message = message_of(tmp_path, {"url": served.url, key: value})
    assert f"wrong {key}" in message
    assert found in message


def test_what_could_not_be_compared_is_logged(tmp_path, served, caplog):
    caplog.set_level("INFO")
    with local_copy(wanted(tmp_path, {"path": str(served.path)}), Downloads()):
        pass
    assert "the configuration gives no checksum to compare with" in caplog.text
    assert SHA256 in caplog.text


def test_errors_name_the_source_of_a_fetched_file(tmp_path):
    (tmp_path / "bad.fa").write_text(">a\nACGT!\n")
    source = {"url": (tmp_path / "bad.fa").as_uri()}
    with pytest.raises(FastaError) as caught, local_copy(wanted(tmp_path, source), Downloads()) as (path, _):
        check_fasta(path, tmp_path / "out" / "x.fa")
    assert str(caught.value).startswith(f"file://{tmp_path}/bad.fa: sequence 'a' has the letter '!'")
    assert nothing_left(tmp_path)


def test_secrets_of_an_address_are_not_recorded(tmp_path, served):
    source = {"url": "http://me:pw@h/a.fa;jsessionid=abc?token=abc&sv=abc"}
    assert sources.shown_source(source).startswith("http://***@h/a.fa;jsessionid=***?token=***&sv=***#")
    with local_copy(wanted(tmp_path, {"url": f"{served.url};jsessionid=abc"}), Downloads()) as (_, record):
        assert (record.source, record.file_name) == (f"{served.url};jsessionid=***", "a file.fa")


PHYTOZOME = PhytozomeGenome(
    genome_id=447,
    genome=PhytozomeFile("f1", "Athaliana_447_TAIR10.fa.gz", assembly_version="TAIR9"),
    annotation=PhytozomeFile(
        "f2", "Athaliana_447_Araport11.gene_exons.gff3.gz", proteome="Athaliana", annotation_version="Araport11"
    ),
    terms="unrestricted",
)


@pytest.mark.parametrize(
    ("kind", "name"),
    [("genome", "Athaliana_447_TAIR10.fa.gz"), ("annotation", "Athaliana_447_Araport11.gene_exons.gff3.gz")],
)
def test_phytozome_files_are_recorded_with_versions_and_terms(tmp_path, monkeypatch, kind, name):
    monkeypatch.setattr(sources, "resolve", lambda *_: PHYTOZOME)
    monkeypatch.setattr(sources, "fetch_file", lambda file, target, *_: target.write_bytes(file.file_id.encode()))
    source = {"phytozome": {"genome_id": 447, "assembly": "TAIR10"}}
    with local_copy(wanted(tmp_path, source, kind), Downloads()) as (path, record):
        assert path.read_text() == ("f1" if kind == "genome" else "f2")
    assert nothing_left(tmp_path)
    assert (record.source, record.file_name, record.genome_id) == ("Phytozome 447 (Athaliana)", name, 447)
    assert record.assembly_versions == ("TAIR9", "TAIR10")
    assert record.annotation_versions == ("Araport11",)
    assert record.terms == "unrestricted"


def test_a_checksum_beside_a_phytozome_number_is_compared_too(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "resolve", lambda *_: PHYTOZOME)
    monkeypatch.setattr(sources, "fetch_file", lambda file, target, *_: target.write_bytes(b">a\nAC\n"))
    message = message_of(tmp_path, {"phytozome": {"genome_id": 447}, "md5": "0" * 32})
    assert "Phytozome 447 (Athaliana): the md5 is" in message


def test_two_that_want_the_same_file_take_turns(tmp_path, served):
    source = {"url": served.url}
    with local_copy(wanted(tmp_path, source), Downloads()) as (path, _):
        lock = path.with_name(f"{path.name}.lock")
        with pytest.raises(Timeout), FileLock(lock, timeout=0):
            pass
        assert path.read_bytes() == BODY


def test_a_second_process_says_that_it_waits(tmp_path, served, caplog):
    caplog.set_level("INFO")
    (tmp_path / "out").mkdir()
    holder = (tmp_path / "out" / ".x.fa.1.source.lock").open("w")
    fcntl.flock(holder, fcntl.LOCK_EX)
    threading.Timer(0.1, holder.close).start()
    with local_copy(wanted(tmp_path, {"url": served.url}), Downloads()):
        assert f"{served.url}: another process is fetching it; waiting" in caplog.text


def test_a_folder_that_cannot_be_made(tmp_path, served):
    (tmp_path / "out").write_text("")
    with (
        pytest.raises(
            DownloadError, match=r"a%20file\.fa: nothing can be written into .*/out \(.*\); check the folder"
        ),
        local_copy(wanted(tmp_path, {"url": served.url}), Downloads()),
    ):
        pass


def test_files_of_a_configuration():
    item = {"name": "x", "genome": {"path": "a"}, "isoseq": [{"path": "r"}, {"path": "s"}], "terms": "free"}
    (genome,) = wanted_files({"genomes": [item]}, "x", "genome", "out.fa")
    assert (genome.source, genome.terms, genome.output) == ({"path": "a"}, "free", "out.fa")
    reads = wanted_files({"genomes": [item]}, "x", "isoseq", "out.fq")
    assert [(file.source["path"], file.number) for file in reads] == [("r", 1), ("s", 2)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda text: bgzip(text[:9], text[9:])])
def test_plain_gzip_and_bgzip_are_unpacked(tmp_path, pack):
    text = b"one\r\ntwo, with more of it\n"
    (tmp_path / "a.txt").write_bytes(pack(text))
    with local_copy(wanted(tmp_path, {"path": str(tmp_path / "a.txt")}), Downloads()) as (path, _):
        assert copy_text(path, tmp_path / "b.txt") == 2
    assert (tmp_path / "b.txt").read_bytes() == text.replace(b"\r\n", b"\n")


def test_bgzip_cut_between_two_blocks_is_noticed(tmp_path):
    whole = bgzip(b">a\nACGT\n", b">b\nACGT\n")
    cut = whole[: whole.index(b"\x1f\x8b", 5)]
    assert gzip.decompress(cut) == b">a\nACGT\n", "gzip itself notices nothing"
    (tmp_path / "a.fa.gz").write_bytes(cut)
    message = message_of(tmp_path, {"path": str(tmp_path / "a.fa.gz")})
    assert "a.fa.gz: this bgzip file does not end with bgzip's end mark" in message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(BODY)[:-20], "truncated or corrupt gzip"),
        (bgzip(BODY, BODY)[:-100], "truncated or corrupt gzip"),
        (gzip.compress(BODY) + gzip.compress(BODY)[:-20], "truncated or corrupt gzip"),
        (b"\x00\xff\xfe" * 9, "not a text file"),
        (b"", "the file is empty"),
    ],
)
def test_text_that_is_none_leaves_nothing(tmp_path, content, message):
    (tmp_path / "a.gff3.gz").write_bytes(content)
    with pytest.raises(PhytoScribeError, match=message):
        copy_text(tmp_path / "a.gff3.gz", tmp_path / "out" / "a.gff3")
    assert nothing_left(tmp_path)


GFF = gzip.decompress((EXAMPLE / "annotation.gff3.gz").read_bytes())[:300_000]


def test_latin1_annotations_are_read_right_with_a_note(tmp_path, caplog):
    source = FIELD_CASES / "latin1.gff3"
    with pytest.raises(UnicodeDecodeError):
        source.read_text(encoding="utf-8")
    count = copy_text(source, tmp_path / "a.gff3")
    assert (tmp_path / "a.gff3").read_text(encoding="utf-8") == source.read_text(encoding="latin-1")
    assert f"{source}: 2 line(s) are not UTF-8 text, the first is line 1; they were read as Latin-1" in caplog.text
    assert count == len(source.read_bytes().splitlines())


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"Note=\x93quoted\x94 \x80\xa0\xad", "Note=“quoted” €\xa0\xad"),  # Windows-1252
        ("Note=β-glucosidase, é".encode() + b" \xe9", "Note=β-glucosidase, é é"),  # of two origins
        ("Note=β".encode(), "Note=β"),
        (b"Note=\x8d\x90", "line 2: neither UTF-8 nor Latin-1"),
        (b"Note=\xe9\x01", "line 2: neither UTF-8 nor Latin-1"),
    ],
)
def test_bytes_that_are_not_utf8(tmp_path, line, text):
    (tmp_path / "a.gff3").write_bytes(b"##gff-version 3\n" + line)
    if text.startswith("line"):
        with pytest.raises(PhytoScribeError, match=text):
            copy_text(tmp_path / "a.gff3", tmp_path / "b.gff3")
    else:
        copy_text(tmp_path / "a.gff3", tmp_path / "b.gff3")
        assert (tmp_path / "b.gff3").read_text(encoding="utf-8") == f"##gff-version 3\n{text}"


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress])
def test_bzip2_and_xz_are_unpacked(tmp_path, pack):
    packed = pack(GFF)
    (tmp_path / "a").write_bytes(packed)
    copy_text(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == GFF
    for broken in (packed[: len(packed) // 2], packed[:-3], packed[:9] + GFF):
        (tmp_path / "a").write_bytes(broken)
        with pytest.raises(PhytoScribeError, match=r"/a: truncated or corrupt (bzip2|xz) file"):
            copy_text(tmp_path / "a", tmp_path / "out" / "b")
    assert nothing_left(tmp_path)


def archive(text: bytes, kind: str) -> bytes:
    out, entry = io.BytesIO(), tarfile.TarInfo("a/genomic.gff")
    entry.size = len(text)
    if kind == "zip":
        with zipfile.ZipFile(out, "w") as packed:
            packed.writestr(entry.name, text)
    else:
        with tarfile.open(fileobj=out, mode=kind) as packed:
            packed.addfile(entry, io.BytesIO(text))
    return out.getvalue()


FOREIGN = [
    (archive(BODY, "zip"), "a zip archive"),
    (archive(BODY, "w"), "a tar archive"),
    (archive(BODY, "w:gz"), "a tar archive"),
    (archive(BODY, "w:xz"), "a tar archive"),
    (gzip.compress(gzip.compress(GFF)), "packed twice"),
    (BODY.decode().encode("utf-16"), "line 1: UTF-16 text"),
    (BODY.decode().encode("utf-16-le"), "line 1: UTF-16 text"),
    (BODY.decode().encode("utf-16-be"), "line 1: UTF-16 text"),
    (BODY.decode().encode("utf-32"), "line 1: UTF-32 text"),
    (b"\x43\x27\x41\x1a" + b"\0" * 12, "a 2bit file"),
    (b"LOCUS       NC_003070   30427671 bp    DNA     linear   CON", "a GenBank flat file"),
    (b"ID   X56734; SV 1; linear; mRNA; STD; PLN; 1859 BP.", "an EMBL flat file"),
    (b"\n<!DOCTYPE html>\n<html>", "a web page"),
    (b'{"error": "no such file"}', "a JSON file"),
    (bgzip(b"BAM\1" + b"\0" * 40), "a BAM file"),
    (b"CRAM\3\0", "a CRAM file"),
    (b"\x28\xb5\x2f\xfd\x04", "a zstd file"),
]


@pytest.mark.parametrize(("content", "message"), FOREIGN)
def test_files_of_other_kinds_are_named(tmp_path, content, message):
    """Whoever reads them: as a genome, an annotation, a table."""
    (tmp_path / "a").write_bytes(content)
    for read in (check_fasta, copy_text, lambda path, _: read_bed(path)):
        with pytest.raises(PhytoScribeError, match=rf"/a(, |: this is ){message}|/a: this is .*{message}"):
            read(tmp_path / "a", tmp_path / "out" / "b")
    assert nothing_left(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (BODY, "looks like FASTA"),
        (b"@r1\nAC\n+\nII\n", "looks like FASTQ"),
        (b"@HD\tVN:1.6\n", "looks like SAM"),
        (b"##fileformat=VCFv4.2\n", "looks like VCF"),
        (b"\nS\tutg1\tACGT\n", "looks like GFA"),
    ],
)
def test_data_that_is_no_annotation(tmp_path, content, message):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(PhytoScribeError, match=rf"/a, line [12]: this is no annotation, it {message}"):
        copy_text(tmp_path / "a", tmp_path / "out" / "b")
    assert nothing_left(tmp_path)


def test_a_line_without_end_does_not_fill_the_memory(tmp_path):
    with gzip.open(tmp_path / "a.gz", "wb", compresslevel=1) as handle:
        handle.write(b"##gff-version 3\n")
        for _ in range(90):
            handle.write(b"x" * 2**20)
    tracemalloc.start()
    with pytest.raises(PhytoScribeError, match=r"a\.gz, line 2: longer than 64 MiB"):
        copy_text(tmp_path / "a.gz", tmp_path / "out" / "b")
    assert tracemalloc.get_traced_memory()[1] < 400 * 2**20
    tracemalloc.stop()
    assert nothing_left(tmp_path)


def test_a_table_that_is_not_utf8_is_refused_with_its_line(tmp_path):
    (tmp_path / "a.bed").write_bytes(b"c\t1\t2\n" * 300_000 + b"c\t1\t2\tg\xe9n\n")
    message = r"a\.bed, line 300001: the byte 0xE9 is not UTF-8 text; .*iconv -f latin1 -t utf-8"
    with pytest.raises(PhytoScribeError, match=message):
        read_bed(tmp_path / "a.bed")


def reads_of(tmp_path, *names: str) -> list[Wanted]:
    return [
        Wanted("x", "isoseq", {"path": str(tmp_path / name)}, tmp_path / "out" / "reads.gz", number=number)
        for number, name in enumerate(names, start=1)
    ]


def test_reads_are_joined_the_same_way_each_time(tmp_path):
    (tmp_path / "a.fq.gz").write_bytes(gzip.compress(b"@r1 x\r\nACGT\r\n+\r\nIIII"))  # no newline at the end
    (tmp_path / "b.fq").write_bytes(
        b"@r2\nAC\n+r2\n@I\n@r3\n\n+\n\n\n\n"
    )  # a read without bases, empty lines at the end
    for name in ("one.gz", "two.gz"):
        records = join_reads(reads_of(tmp_path, "a.fq.gz", "b.fq"), Downloads(), tmp_path / name)
    joined = b"@r1 x\nACGT\n+\nIIII\n@r2\nAC\n+r2\n@I\n@r3\n\n+\n\n"
    assert gzip.decompress((tmp_path / "one.gz").read_bytes()) == joined
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()
    assert [record.file_name for record in records] == ["a.fq.gz", "b.fq"]


def test_fasta_reads_may_be_wrapped(tmp_path):
    (tmp_path / "a.fa").write_bytes(b">r1 x\nAC\nGT\n\n>r2\nACGTN")
    join_reads(reads_of(tmp_path, "a.fa"), Downloads(), tmp_path / "one.gz")
    assert gzip.decompress((tmp_path / "one.gz").read_bytes()) == b">r1 x\nAC\nGT\n>r2\nACGTN\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "neither FASTQ, FASTA nor BAM"),
        (b"ACGT\n", "neither FASTQ, FASTA nor BAM"),
        (b"CRAM\3\0", "a CRAM file; convert it: samtools fastq"),
        (b"@HD\tVN:1.6\n@SQ\tSN:c\tLN:9\n", "line 1: a SAM file; convert it"),
        (gzip.compress(b"@r\nA\n+\nI\n" * 9)[:-9], "truncated"),
        (gzip.compress(b"BAM\1" + b"\0" * 20), "truncated or damaged BAM file"),
        (b"@r1\nACGT\n+\nIIII\n@r2\nACGT\n+\n", "line 5: the qualities of the last read is missing"),
        (b"@r1\nACGT\n+\nIIII\n@r2\nACGT\n", "line 5: the separator of the last read is missing"),
        (b"@r1\nACGT\n+\nIII\n", r"line 2: 4 bases, but 3 qualities \(line 4\)"),
        (b"@r1\nACGT\nACGT\n+\nIIII\nIIII\n", "line 3: a '.' is expected here"),
        (b"@r1\nA\n+\nI\nr2\nA\n+\nI\n", "line 5: a read's '@' and name are expected"),
        (b"@\nA\n+\nI\n", "line 1: a read's '@' and name are expected"),
        (b"@r1\nA\n+\nI\n\n@r2\nA\n+\nI\n", "line 5: an empty line between reads"),
        (b">r1\nACGT\n>r2\n", "line 3: a read without a sequence"),
        (b">r1\n>r2\nAC\n", "line 1: a read without a sequence"),
        (b">r1\nAC\n>\nAC\n", "line 3: a '>' without a name"),
        (b">r1\nACGT\nMKLV\n", "line 3: the letter 'L' is not a nucleotide"),
    ],
)
def test_reads_that_are_none(tmp_path, content, message):
    (tmp_path / "a.fq").write_bytes(content)
    with pytest.raises(PhytoScribeError, match=rf"a\.fq.*{message}"):
        join_reads(reads_of(tmp_path, "a.fq"), Downloads(), tmp_path / "out" / "reads.gz")
    assert nothing_left(tmp_path)


def test_names_of_fetched_files_are_hidden_and_differ_for_files_of_one_output(tmp_path, served):
    one, two = (Wanted("x", "isoseq", {"url": served.url}, tmp_path / "out/x.fq", number=number) for number in (1, 2))
    with local_copy(one, Downloads()) as (first, _), local_copy(two, Downloads()) as (second, _):
        assert first != second
        assert all(re.fullmatch(r"\.x\.fq\.[12]\.source", path.name) for path in (first, second))
