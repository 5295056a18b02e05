"""A local server that speaks the protocol of Phytozome's servers, with faults on demand.

One server plays all three hosts (listing, files, properties); it serves the example genome's real files.  Every request
is recorded as it came, with the number of body bytes that were sent for it::

    with PhytozomeServer() as server:
        server.plan("files", Fault(cut_at=0.5), Fault(status=503, headers={"Retry-After": "2"}))
        resolve({"genome_id": 447}, Downloads(hosts=server.hosts))

Each request to an endpoint (``listing``, ``files``, ``restore``, ``properties``, ``plain``) takes the next planned
fault; without one it is answered as it should be.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from phytoscribe.intake.phytozome.listing import PhytozomeHosts

EXAMPLE = Path(__file__).parents[1] / "resources" / "example" / "athaliana"
TOKEN = "/api/sessions/5ec2e7d0c0ffee5ec2e7d0c0ffee"
LAST_MODIFIED = "Tue, 04 Mar 2025 10:00:00 GMT"
_BLOCK = 64 << 10


@dataclass
class Fault:
    """What goes wrong with one request; what is left out goes right.

    Attributes:
        status: answer this status, with ``body``.
        headers: added to the answer, in place of its own of the same name; None leaves one out.
        body: sent in place of the file (with its own length), or with ``status``.
        cut_at: the connection ends after this share of the bytes.
        cut_after: the connection ends after so many bytes.
        stall_after: nothing more comes after so many bytes, until the server ends.
        no_ranges: the whole file is sent whatever range is asked for.
        length: the ``Content-Length`` to announce.
        pause: seconds between blocks.
        block: bytes per block.
        chunked: no length is announced; the body comes in chunks.
    """

    status: int | None = None
    headers: dict[str, str | None] = field(default_factory=dict)
    body: bytes | None = None
    cut_at: float | None = None
    cut_after: int | None = None
    stall_after: int | None = None
    no_ranges: bool = False
    length: int | None = None
    pause: float = 0.0
    block: int = _BLOCK
    chunked: bool = False


@dataclass
class Served:
    """One file; ``size`` and ``md5`` are what the listing says of it, None to say nothing."""

    file_id: str
    name: str
    content: bytes
    kind: str = ""
    genome_id: int = 447
    proteome: str = "Athaliana"
    organism: str = "Arabidopsis thaliana"
    assembly_version: str = "TAIR9"
    annotation_version: str = "Araport11"
    status: str = "BACKUP_COMPLETE"
    etag: str | None = None
    md5: str | None = "true"
    size: int | None = -1

    def entry(self) -> dict[str, Any]:
        """The file as the listing shows it."""
        md5 = hashlib.md5(self.content).hexdigest() if self.md5 == "true" else self.md5
        listed = {
            "_id": self.file_id,
            "file_name": self.name,
            "file_status": self.status,
            "file_size": len(self.content) if self.size == -1 else self.size,
            "md5sum": md5,
            "file_type": self.name.rpartition(".")[2],
            "metadata": {
                "phytozome": {
                    "proteome_id": self.genome_id,
                    "proteome_name": self.proteome,
                    "phytozome_release_id": ["13", "current"],
                    "Gspecies": self.proteome,
                    "annotation_version": self.annotation_version,
                    "assembly_version": self.assembly_version,
                },
                "ncbi_taxon": {"ncbi_taxon_species": self.organism},
                "type": self.kind,
            },
        }
        return {key: value for key, value in listed.items() if value is not None}


@dataclass
class Request:
    """One request as it came, and how many bytes of a body were sent for it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    sent: int = 0


class PhytozomeServer(ThreadingHTTPServer):
    """See the module; use as a context manager.

    Attributes:
        files: what is listed and sent; tests may change it.
        plain: ``{name: content}``, sent under ``/plain/name`` without any token.
        requests: what was asked, in order.
        policy: ``{genome_id: "restricted" | "unrestricted"}``.
        page_size: files per page of the listing, at most what the request asks for.
        ranges: False for a server that knows no ranges.
        validators: False for a server that sends neither ETag nor Last-Modified.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = example_files()
        self.plain: dict[str, bytes] = {}
        self.requests: list[Request] = []
        self.policy = {447: "unrestricted", 533: "restricted"}
        self.page_size = 50
        self.ranges = True
        self.validators = True
        self.ended = threading.Event()
        self._plans: dict[str, list[Fault]] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def hosts(self) -> PhytozomeHosts:
        return PhytozomeHosts(self.address, self.address, self.address)

    def url(self, name: str) -> str:
        """The address of a file of ``plain``."""
        return f"{self.address}/plain/{name}"

    def plan(self, endpoint: str, *faults: Fault) -> None:
        """The next requests to an endpoint meet these faults, one each."""
        self._plans.setdefault(endpoint, []).extend(faults)

    def forget(self, endpoint: str) -> None:
        """Nothing is planned for an endpoint any more."""
        self._plans.pop(endpoint, None)

    def next_fault(self, endpoint: str) -> Fault:
        planned = self._plans.get(endpoint)
        return planned.pop(0) if planned else Fault()

    def asked(self, part: str) -> list[Request]:
        """The requests whose path holds this text."""
        return [request for request in self.requests if part in request.path]

    def file(self, name: str) -> Served:
        """The file of this name."""
        (found,) = (file for file in self.files if file.name == name)
        return found

    def __enter__(self) -> PhytozomeServer:
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is no fault of the test."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PhytozomeServer

    def do_GET(self) -> None:
        request = self._record()
        path = request.path
        if path == "/phytozome_file_list/":
            self._answer_json(request, "listing", lambda: self._listing(request.query))
        elif match := re.fullmatch(r"/download_files/([^/]+)/", path):
            self._send_listed(request, match[1])
        elif match := re.fullmatch(r"/api/db/properties/proteome/(\d+)", path):
            self._answer_json(request, "properties", lambda: self._properties(int(match[1])))
        elif path.startswith("/plain/"):
            name = unquote(path.removeprefix("/plain/"))
            fault = self.server.next_fault("plain")
            content = self.server.plain.get(name)
            if content is None and fault.status is None:
                fault = Fault(status=404)
            self._send_file(request, content or b"", None, fault)
        else:
            self._send(request, 404, b"")

    def do_POST(self) -> None:
        request = self._record()
        if request.path != "/request_archived_files/":
            self._send(request, 404, b"")
        elif not self._has_token(request):
            self._send(request, 401, b'{"error": "Unauthorized"}')
        else:
            status_url = f"{self.server.address}/request_archived_files/requests/220699"
            reply = {"updated_count": 0, "restored_count": 1, "request_id": 220699, "request_status_url": status_url}
            self._answer_json(request, "restore", lambda: (200, reply))

    def log_message(self, *_: object) -> None:
        pass

    def _record(self) -> Request:
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, parts.path, query, dict(self.headers.items()), body)
        self.server.requests.append(request)
        return request

    def _has_token(self, request: Request) -> bool:
        return request.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _listing(self, query: dict[str, str]) -> tuple[int, Any]:
        if int(query["x"]) > 50:
            return 400, {"error": "max page size is 50"}
        files = self.server.files
        if "genome_id" in query:
            files = [file for file in files if str(file.genome_id) == query["genome_id"]]
        else:
            files = [file for file in files if query["q"].lower() in file.name.lower()]
        page, size = int(query["p"]), min(int(query["x"]), self.server.page_size)
        shown = files[(page - 1) * size : page * size]
        organisms = []
        for genome_id in dict.fromkeys(file.genome_id for file in shown):
            entries = [file.entry() for file in shown if file.genome_id == genome_id]
            identity = {"id": f"Phytozome-{genome_id}", "name": "Arabidopsis thaliana", "agg_id": genome_id}
            organisms.append({**identity, "top_hit": entries[0], "files": entries})
        return 200, {"organisms": organisms, "next_page": page + 1 if page * size < len(files) else False}

    def _properties(self, genome_id: int) -> tuple[int, Any]:
        policy = self.server.policy.get(genome_id)
        return 200, [{"proteome_id": genome_id, "data_restriction_policy": policy}] if policy else []

    def _answer_json(self, request: Request, endpoint: str, content: Any) -> None:
        fault = self.server.next_fault(endpoint)
        if fault.status is not None or fault.body is not None:
            self._send(request, fault.status or 200, fault.body or b"", fault.headers)
            return
        status, found = content()
        self._send_file(request, json.dumps(found).encode(), None, fault, status, "application/json")

    def _send_listed(self, request: Request, file_id: str) -> None:
        fault = self.server.next_fault("files")
        file = next((file for file in self.server.files if file.file_id == file_id), None)
        if fault.status is None and not self._has_token(request):
            fault = Fault(status=401, body=b'{"error": "Unauthorized"}')
        elif fault.status is None and file is None:
            fault = Fault(status=404, body=b'{"error": "Not found"}')
        elif fault.status is None and file.status == "PURGED":
            fault = Fault(status=409, body=b'{"error": "File is not on disk"}')
        self._send_file(request, file.content if file else b"", file.etag if file else None, fault)

    def _send(self, request: Request, status: int, body: bytes, headers: dict[str, str | None] | None = None) -> None:
        self._send_head(status, {"Content-Length": str(len(body)), **(headers or {})})
        self.wfile.write(body)
        request.sent += len(body)

    def _send_head(self, status: int, headers: dict[str, str | None]) -> None:
        self.send_response_only(status)
        headers = {"Date": self.date_time_string(), **headers}
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def _send_file(
        self,
        request: Request,
        content: bytes,
        etag: str | None,
        fault: Fault,
        status: int = 200,
        content_type: str = "application/octet-stream",
    ) -> None:
        if fault.status is not None:
            self._send(request, fault.status, fault.body or b"", fault.headers)
            return
        content = content if fault.body is None else fault.body
        etag = etag or f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        head: dict[str, str | None] = {"Content-Type": content_type}
        if self.server.validators:
            head |= {"ETag": etag, "Last-Modified": LAST_MODIFIED}
        begin, whole = 0, len(content)
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        fresh = request.headers.get("If-Range", etag) in (etag, LAST_MODIFIED)
        if wanted and self.server.ranges and not fault.no_ranges and fresh:
            begin = int(wanted[1])
            if begin >= whole:
                self._send(request, 416, b"", {"Content-Range": f"bytes */{whole}"})
                return
            status, head["Content-Range"] = 206, f"bytes {begin}-{whole - 1}/{whole}"
        body = content[begin:]
        head["Content-Length"] = None if fault.chunked else str(len(body) if fault.length is None else fault.length)
        if fault.chunked:
            head["Transfer-Encoding"] = "chunked"
        self._send_head(status, {**head, **fault.headers})
        self._send_body(request, body, fault)

    def _send_body(self, request: Request, body: bytes, fault: Fault) -> None:
        limits = [fault.cut_after, fault.stall_after, None if fault.cut_at is None else int(len(body) * fault.cut_at)]
        end = min([len(body), *(limit for limit in limits if limit is not None)])
        for start in range(0, end, fault.block):
            block = body[start : min(start + fault.block, end)]
            self.wfile.write(b"%x\r\n%b\r\n" % (len(block), block) if fault.chunked else block)
            self.wfile.flush()
            request.sent += len(block)
            if fault.pause:
                self.server.ended.wait(fault.pause)
        if fault.stall_after is not None:
            self.server.ended.wait(60)
        if end < len(body) or fault.length is not None:
            self.close_connection = True
        elif fault.chunked:
            self.wfile.write(b"0\r\n\r\n")


def example_files() -> list[Served]:
    """Two genomes: *A. thaliana* with everything that a genome's folder has, poplar with the pair alone."""
    genome, annotation = (EXAMPLE / name for name in ("genome.fa.gz", "annotation.gff3.gz"))
    fasta, gff = genome.read_bytes(), annotation.read_bytes()
    poplar = {
        "genome_id": 533,
        "proteome": "Ptrichocarpa",
        "organism": "Populus trichocarpa",
        "assembly_version": "v4.0",
        "annotation_version": "v4.1",
    }
    return [
        Served("5b01", "Athaliana_447_TAIR10.fa.gz", fasta, "assembly"),
        Served("5b02", "Athaliana_447_TAIR10.softmasked.fa.gz", fasta, "assembly"),
        Served("5b03", "Athaliana_447_TAIR10.hardmasked.fa.gz", fasta, "assembly"),
        Served("5b04", "Athaliana_447_Araport11.gene.gff3.gz", gff, "annotation/gene"),
        Served("5b05", "Athaliana_447_Araport11.gene_exons.gff3.gz", gff, "annotation/gene"),
        Served("5b06", "Athaliana_447_Araport11.cds.fa.gz", b"\x1f\x8bcds", "annotation/cds"),
        Served("5b07", "Athaliana_447_Araport11.protein.fa.gz", b"\x1f\x8bprotein", "annotation/protein"),
        Served("5c01", "Ptrichocarpa_533_v4.0.fa.gz", fasta, "assembly", **poplar),
        Served("5c02", "Ptrichocarpa_533_v4.1.gene_exons.gff3.gz", gff, "annotation/gene", **poplar),
    ]
