"""Files: checksums, and what writers leave behind."""

from __future__ import annotations

import hashlib
from pathlib import Path

from phytoscribe.files import digests_of, sha256_of

EXAMPLE = Path(__file__).parents[2] / "resources/example/athaliana/genome.fa.gz"


def test_checksums_of_one_reading(monkeypatch):
    content, opened, read = EXAMPLE.read_bytes(), Path.open, []
    monkeypatch.setattr(Path, "open", lambda self, *mode: read.append(self) or opened(self, *mode))
    found = digests_of(EXAMPLE, "sha256", "md5")
    assert found == {"sha256": hashlib.sha256(content).hexdigest(), "md5": hashlib.md5(content).hexdigest()}
    assert read == [EXAMPLE]
    assert sha256_of(EXAMPLE) == found["sha256"]


def test_md5_where_it_is_not_allowed_for_security(tmp_path, monkeypatch):
    """As Python on a machine in FIPS mode."""
    allowed = hashlib.new

    def fips(name, data=b"", *, usedforsecurity=True):
        if name == "md5" and usedforsecurity:
            raise ValueError("[digital envelope routines] unsupported")
        return allowed(name, data, usedforsecurity=usedforsecurity)

    monkeypatch.setattr(hashlib, "new", fips)
    (tmp_path / "empty").touch()
    assert digests_of(tmp_path / "empty", "md5") == {"md5": "d41d8cd98f00b204e9800998ecf8427e"}
