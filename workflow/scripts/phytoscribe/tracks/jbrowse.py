"""The configuration of JBrowse 2, https://jbrowse.org: assembly, tracks and the first view.

All addresses are relative to the configuration file, which lies in the folder ``jbrowse`` beside the files.  Types and
slots are those of JBrowse's configuration reference (https://jbrowse.org/jb2/docs/config_guide/).
"""

from __future__ import annotations

import json
from typing import Any

from phytoscribe.tracks.folder import GENOME_FILE, READS_FILE, AnnotationTrack, ProbabilityTrack, TrackFolder

#: Probabilities that are shown at first; the others are a click away.
SHOWN_AT_FIRST = ("coding", "intron")


def jbrowse_config(folder: TrackFolder) -> str:
    """The text of ``jbrowse/config.json``."""
    tracks = [
        *(_annotation(track, folder.genome) for track in folder.annotations),
        *(_probability(track, folder.genome) for track in folder.probabilities),
        *([_reads(folder)] if folder.reads else []),
    ]
    hidden = {track.name for track in folder.probabilities if track.kind not in SHOWN_AT_FIRST}
    contig, start, end = folder.locus
    view = {
        "id": "phytoscribe-view",
        "type": "LinearGenomeView",
        "init": {
            "assembly": folder.genome,
            "loc": f"{contig}:{start + 1}..{end}",
            "tracks": [track["trackId"] for track in tracks if track["trackId"] not in hidden],
        },
    }
    config = {
        "assemblies": [_assembly(folder)],
        "tracks": tracks,
        "defaultSession": {"name": f"PhytoScribe: {folder.genome}", "views": [view]},
    }
    return json.dumps(config, indent=2) + "\n"


def _assembly(folder: TrackFolder) -> dict[str, Any]:
    return {
        "name": folder.genome,
        "sequence": {
            "type": "ReferenceSequenceTrack",
            "trackId": f"{folder.genome}-sequence",
            "adapter": {
                "type": "BgzipFastaAdapter",
                "fastaLocation": _uri(GENOME_FILE),
                "faiLocation": _uri(f"{GENOME_FILE}.fai"),
                "gziLocation": _uri(f"{GENOME_FILE}.gzi"),
            },
        },
    }


def _annotation(track: AnnotationTrack, genome: str) -> dict[str, Any]:
    adapter = {
        "type": "Gff3TabixAdapter",
        "gffGzLocation": _uri(track.file),
        "index": {"location": _uri(track.index), "indexType": track.index.rpartition(".")[2].upper()},
    }
    display = {
        "type": "LinearBasicDisplay",
        "displayId": f"{track.name}-display",
        "renderer": {"type": "SvgFeatureRenderer", "color1": _colour(track.colour)},
    }
    return _track("FeatureTrack", track.name, track.title, genome, "Genes", adapter, display)


def _probability(track: ProbabilityTrack, genome: str) -> dict[str, Any]:
    adapter = {"type": "BigWigAdapter", "bigWigLocation": _uri(track.file)}
    display = {
        "type": "LinearWiggleDisplay",
        "displayId": f"{track.name}-display",
        "height": 50,
        "minScore": 0,
        "maxScore": 1,
        "renderers": {"XYPlotRenderer": {"type": "XYPlotRenderer", "color": _colour(track.colour)}},
    }
    return _track("QuantitativeTrack", track.name, track.title, genome, "Probabilities", adapter, display)


def _reads(folder: TrackFolder) -> dict[str, Any]:
    adapter = {
        "type": "BamAdapter",
        "bamLocation": _uri(READS_FILE),
        "index": {"location": _uri(str(folder.reads)), "indexType": "CSI"},
    }
    return _track("AlignmentsTrack", "reads", "Iso-Seq reads", folder.genome, "Reads", adapter)


def _track(
    kind: str, name: str, title: str, genome: str, category: str, adapter: dict[str, Any], *displays: dict[str, Any]
) -> dict[str, Any]:
    track = {
        "type": kind,
        "trackId": name,
        "name": title,
        "assemblyNames": [genome],
        "category": [category],
        "adapter": adapter,
    }
    return track | ({"displays": list(displays)} if displays else {})


def _uri(file: str) -> dict[str, str]:
    return {"uri": f"../{file}", "locationType": "UriLocation"}


def _colour(colour: tuple[int, int, int]) -> str:
    return f"rgb({', '.join(map(str, colour))})"
