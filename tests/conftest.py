"""Which tests run in one process when several are used (pytest-xdist, ``--dist loadgroup``)."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those of a file, as they share fixtures, and all that look at one finished run of the workflow."""
    for item in items:
        group = "finished" if "finished" in getattr(item, "fixturenames", ()) else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))
