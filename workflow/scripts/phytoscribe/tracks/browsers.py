"""What opens the tracks of a genome: the files of its folder, a session of IGV and a configuration of JBrowse 2.

All paths are relative.  IGV desktop (https://igv.org): the elements are those that it writes itself as session version
8; indexes are not named, since IGV finds them beside their files, and reads a name that is given as a path from the
folder that it was started in.  JBrowse 2 (https://jbrowse.org): types and slots are those of its configuration
reference (https://jbrowse.org/jb2/docs/config_guide/); the file lies in the folder ``jbrowse`` beside the others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from phytoscribe.tracks.indexed import index_of
from phytoscribe.tracks.kinds import COLOURS, KINDS, STRANDS

GENOME_FILE = "genome.fa.gz"
READS_FILE = "reads.bam"
JUNCTIONS_FILE = "junctions.bed.gz"
JUNCTIONS_TITLE = "Splice junctions of the evidence"
#: Annotations by the name of their file, with the name that browsers show and a colour (red, green, blue).
ANNOTATIONS = {
    "reference": ("Reference annotation", (60, 60, 60)),
    "genes": ("PhytoScribe", (0, 110, 60)),
    "dna": ("PhytoScribe, from DNA alone", (110, 160, 130)),
    "proteins": ("Aligned proteins of the evidence", (0, 90, 160)),
    "noncoding": ("RNA genes and mobile elements", (120, 60, 140)),
    "augustus": ("AUGUSTUS", (150, 90, 0)),
}
#: Where in the folder the tracks of labels of bins lie.
LABELS_FOLDER = "regulatory"
IMPORTANCE_FILE = "importance.bw"
#: Bases that a browser shows at first.
FIRST_VIEW = 20_000
#: Probabilities that JBrowse shows at first; the others are a click away.
SHOWN_AT_FIRST = ("coding", "intron")


class Track(NamedTuple):
    """A file of the folder, with the index beside it that GFF3 and BED have, as browsers show it."""

    name: str
    file: str
    title: str
    colour: tuple[int, int, int]
    index: str = ""


@dataclass(frozen=True, slots=True)
class TrackFolder:
    """Names of all files that a browser shows, each in the folder itself.

    Attributes:
        genome: name of the genome.
        locus: contig, start and end that are shown at first, 0-based half-open.
        junctions: index of the junctions beside :data:`JUNCTIONS_FILE`, or None without evidence by reads.
        reads: index of the reads beside :data:`READS_FILE`, or None without reads.
        importance: contributions to predicted expression, of either sign, or None.
    """

    genome: str
    locus: tuple[str, int, int]
    annotations: tuple[Track, ...]
    probabilities: tuple[Track, ...] = ()
    reads: str | None = None
    junctions: str | None = None
    importance: Track | None = None

    @classmethod
    def of(
        cls,
        folder: str | Path,
        genome: str,
        contigs: Mapping[str, int],
        predicted: Sequence[str],
        annotations: Sequence[str],
        with_probabilities: bool,
        with_reads: bool,
        with_junctions: bool = False,
    ) -> TrackFolder:
        """The folder of a genome with these of its parts.

        Args:
            contigs: name to length of all contigs.
            predicted: contigs whose genes were predicted; the longest one is shown at first.
            annotations: of :data:`ANNOTATIONS`.

        Raises:
            GffError: an annotation or the junctions without an index.
        """
        longest = max(predicted, key=lambda name: contigs[name])
        middle, half = contigs[longest] // 2, FIRST_VIEW // 2
        files = {name: f"{name}.gff3.gz" for name in ANNOTATIONS if name in annotations}
        kinds = [(f"{kind}_{STRANDS[strand]}", kind, strand) for kind in KINDS for strand in STRANDS]
        return cls(
            genome,
            (longest, max(0, middle - half), min(contigs[longest], middle + half)),
            tuple(
                Track(name, file, *ANNOTATIONS[name], index_of(Path(folder) / file).name)
                for name, file in files.items()
            ),
            tuple(Track(name, f"{name}.bw", f"{kind} ({strand})", COLOURS[strand]) for name, kind, strand in kinds)
            if with_probabilities
            else (),
            f"{READS_FILE}.csi" if with_reads else None,
            index_of(Path(folder) / JUNCTIONS_FILE).name if with_junctions else None,
        )


def igv_session(folder: TrackFolder) -> str:
    """The text of ``igv_session.xml``, which lies beside the files of the folder."""
    contig, start, end = folder.locus
    session = Element(
        "Session", genome=GENOME_FILE, hasGeneTrack="false", hasSequenceTrack="true",
        locus=f"{contig}:{start + 1}-{end}", version="8",
    )  # fmt: skip
    resources = SubElement(session, "Resources")
    signed = [folder.importance] if folder.importance else []
    files = [track.file for track in (*folder.annotations, *folder.probabilities, *signed)]
    beside = [file for file, index in ((JUNCTIONS_FILE, folder.junctions), (READS_FILE, folder.reads)) if index]
    for file in [*files, *beside]:
        SubElement(resources, "Resource", path=file)
    if folder.reads:
        # IGV shows the reads and their coverage in a panel of their own.
        panel = SubElement(session, "Panel", name="ReadsPanel")
        for suffix, name in (("_coverage", "Iso-Seq coverage"), ("", "Iso-Seq reads")):
            SubElement(panel, "Track", id=f"{READS_FILE}{suffix}", name=name, visible="true")
    panel = SubElement(session, "Panel", name="DataPanel")
    for track in signed:
        # Contributions have no natural scale: the browser takes that of what it shows.
        SubElement(
            panel, "Track", autoScale="true", clazz="org.broad.igv.track.DataSourceTrack",
            color=",".join(map(str, track.colour)), height="48", id=track.file, name=track.title, renderer="BAR_CHART",
            visible="true", windowFunction="mean",
        )  # fmt: skip
    for track in folder.probabilities:
        element = SubElement(
            panel, "Track", autoScale="false", clazz="org.broad.igv.track.DataSourceTrack",
            color=",".join(map(str, track.colour)), height="24", id=track.file, name=track.title, renderer="BAR_CHART",
            visible="true", windowFunction="max",
        )  # fmt: skip
        SubElement(
            element, "DataRange", baseline="0.0", drawBaseline="true", flipAxis="false", maximum="1.0", minimum="0.0",
            type="LINEAR",
        )  # fmt: skip
    panel = SubElement(session, "Panel", name="FeaturePanel")
    if folder.junctions:
        # Above all others, which may be high. Without a colour, since junctions bring theirs.
        SubElement(
            panel, "Track", clazz="org.broad.igv.track.FeatureTrack", height="60", id=JUNCTIONS_FILE,
            name=JUNCTIONS_TITLE, visible="true",
        )  # fmt: skip
    for track in folder.annotations:
        SubElement(
            panel, "Track", clazz="org.broad.igv.track.FeatureTrack", color=",".join(map(str, track.colour)),
            displayMode="EXPANDED", id=track.file, name=track.title, visible="true",
        )  # fmt: skip
    indent(session)
    return f'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n{tostring(session, encoding="unicode")}\n'


def jbrowse_config(folder: TrackFolder) -> str:
    """The text of ``jbrowse/config.json``."""
    genome = folder.genome
    tracks = [_genes(track, genome) for track in folder.annotations]
    tracks += [_junctions(folder.junctions, genome)] if folder.junctions else []
    tracks += [_signed(folder.importance, genome)] if folder.importance else []
    tracks += [_probability(track, genome) for track in folder.probabilities]
    if folder.reads:
        index = {"location": _uri(folder.reads), "indexType": "CSI"}
        adapter = {"type": "BamAdapter", "bamLocation": _uri(READS_FILE), "index": index}
        tracks.append(_track("AlignmentsTrack", "reads", "Iso-Seq reads", genome, "Reads", adapter))
    hidden = {track.name for track in folder.probabilities if not track.name.startswith(SHOWN_AT_FIRST)}
    shown = [track["trackId"] for track in tracks if track["trackId"] not in hidden]
    contig, start, end = folder.locus
    first = {"assembly": genome, "loc": f"{contig}:{start + 1}..{end}", "tracks": shown}
    view = {"id": "phytoscribe-view", "type": "LinearGenomeView", "init": first}
    sequence = {
        "type": "ReferenceSequenceTrack",
        "trackId": f"{genome}-sequence",
        "adapter": {
            "type": "BgzipFastaAdapter",
            "fastaLocation": _uri(GENOME_FILE),
            "faiLocation": _uri(f"{GENOME_FILE}.fai"),
            "gziLocation": _uri(f"{GENOME_FILE}.gzi"),
        },
    }
    config = {
        "assemblies": [{"name": genome, "sequence": sequence}],
        "tracks": tracks,
        "defaultSession": {"name": f"PhytoScribe: {genome}", "views": [view]},
    }
    return json.dumps(config, indent=2) + "\n"


def _genes(track: Track, genome: str) -> dict[str, Any]:
    adapter = {
        "type": "Gff3TabixAdapter",
        "gffGzLocation": _uri(track.file),
        "index": {"location": _uri(track.index), "indexType": track.index.rpartition(".")[2].upper()},
    }
    display = {
        "type": "LinearBasicDisplay",
        "displayId": f"{track.name}-display",
        "renderer": {"type": "SvgFeatureRenderer", "color1": _rgb(track)},
    }
    category = "Evidence" if track.name == "proteins" else "Genes"
    return _track("FeatureTrack", track.name, track.title, genome, category, adapter, display)


def _junctions(index: str, genome: str) -> dict[str, Any]:
    """Junctions as arcs; the plain display is a click away."""
    adapter = {
        "type": "BedTabixAdapter",
        "bedGzLocation": _uri(JUNCTIONS_FILE),
        "index": {"location": _uri(index), "indexType": index.rpartition(".")[2].upper()},
    }
    display = {"type": "LinearArcDisplay", "displayId": "junctions-arcs"}
    return _track("FeatureTrack", "junctions", JUNCTIONS_TITLE, genome, "Evidence", adapter, display)


def _probability(track: Track, genome: str) -> dict[str, Any]:
    return _quantities(track, genome, "Probabilities", {"height": 50, "minScore": 0, "maxScore": 1})


def _signed(track: Track, genome: str) -> dict[str, Any]:
    return _quantities(track, genome, "Expression", {"height": 80, "autoscale": "local"})


def _quantities(track: Track, genome: str, category: str, scale: dict[str, Any]) -> dict[str, Any]:
    adapter = {"type": "BigWigAdapter", "bigWigLocation": _uri(track.file)}
    display = {
        "type": "LinearWiggleDisplay",
        "displayId": f"{track.name}-display",
        **scale,
        "renderers": {"XYPlotRenderer": {"type": "XYPlotRenderer", "color": _rgb(track)}},
    }
    return _track("QuantitativeTrack", track.name, track.title, genome, category, adapter, display)


def _track(
    kind: str, name: str, title: str, genome: str, category: str, adapter: dict[str, Any], *displays: dict[str, Any]
) -> dict[str, Any]:
    shared = {"type": kind, "trackId": name, "name": title, "assemblyNames": [genome], "category": [category]}
    return shared | {"adapter": adapter} | ({"displays": list(displays)} if displays else {})


def _uri(file: str) -> dict[str, str]:
    return {"uri": f"../{file}", "locationType": "UriLocation"}


def _rgb(track: Track) -> str:
    return f"rgb({', '.join(map(str, track.colour))})"


def with_importance(folder: TrackFolder) -> TrackFolder:
    """A folder with :data:`IMPORTANCE_FILE` too: what each base contributes to the predicted expression of its gene."""
    track = Track("importance", IMPORTANCE_FILE, "Importance for expression", (0, 114, 178))
    return replace(folder, importance=track)


def with_labels(folder: TrackFolder, labels: Sequence[str]) -> TrackFolder:
    """A folder with the probabilities of labels of bins (binding sites, open chromatin) too.

    Args:
        labels: each has a file ``{label}.bw`` in :data:`LABELS_FOLDER`.
    """
    tracks = [
        Track(f"{LABELS_FOLDER}-{label}", f"{LABELS_FOLDER}/{label}.bw", f"{label}, sites", (148, 103, 189))
        for label in labels
    ]
    return replace(folder, probabilities=(*folder.probabilities, *tracks))
