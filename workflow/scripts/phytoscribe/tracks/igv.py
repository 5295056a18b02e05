"""A session of IGV desktop, https://igv.org: genome, tracks and the first view, all by relative paths.

The elements are those that IGV writes itself as session version 8.  Indexes are not named, since IGV finds them beside
their files, and reads a name that is given as a path from the folder that it was started in.
"""

from __future__ import annotations

from xml.etree import ElementTree

from phytoscribe.tracks.folder import GENOME_FILE, READS_FILE, TrackFolder

VERSION = "8"
_WIGGLE = "org.broad.igv.track.DataSourceTrack"
_FEATURES = "org.broad.igv.track.FeatureTrack"


def igv_session(folder: TrackFolder) -> str:
    """The text of ``igv_session.xml``, which lies beside the files of the folder."""
    contig, start, end = folder.locus
    session = ElementTree.Element(
        "Session", genome=GENOME_FILE, hasGeneTrack="false", hasSequenceTrack="true",
        locus=f"{contig}:{start + 1}-{end}", version=VERSION,
    )  # fmt: skip
    resources = ElementTree.SubElement(session, "Resources")
    files = [*(track.file for track in folder.annotations), *(track.file for track in folder.probabilities)]
    for file in [*files, *([READS_FILE] if folder.reads else [])]:
        ElementTree.SubElement(resources, "Resource", path=file)
    if folder.reads:
        # IGV shows the reads and their coverage in a panel of their own.
        panel = ElementTree.SubElement(session, "Panel", name="ReadsPanel")
        for suffix, name in (("_coverage", "Iso-Seq coverage"), ("", "Iso-Seq reads")):
            ElementTree.SubElement(panel, "Track", id=f"{READS_FILE}{suffix}", name=name, visible="true")
    panel = ElementTree.SubElement(session, "Panel", name="DataPanel")
    for track in folder.probabilities:
        element = ElementTree.SubElement(
            panel, "Track", autoScale="false", clazz=_WIGGLE, color=_colour(track.colour), height="24", id=track.file,
            name=track.title, renderer="BAR_CHART", visible="true", windowFunction="max",
        )  # fmt: skip
        ElementTree.SubElement(
            element, "DataRange", baseline="0.0", drawBaseline="true", flipAxis="false", maximum="1.0", minimum="0.0",
            type="LINEAR",
        )  # fmt: skip
    panel = ElementTree.SubElement(session, "Panel", name="FeaturePanel")
    for annotation in folder.annotations:
        ElementTree.SubElement(
            panel, "Track", clazz=_FEATURES, color=_colour(annotation.colour), displayMode="EXPANDED",
            id=annotation.file, name=annotation.title, visible="true",
        )  # fmt: skip
    ElementTree.indent(session)
    text = ElementTree.tostring(session, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n{text}\n'


def _colour(colour: tuple[int, int, int]) -> str:
    return ",".join(map(str, colour))
