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
    return {
        "type": "FeatureTrack",
        "trackId": track.name,
        "name": track.title,
        "assemblyNames": [genome],
        "category": ["Genes"],
        "adapter": {
            "type": "Gff3TabixAdapter",
            "gffGzLocation": _uri(track.file),
            "index": {"location": _uri(track.index), "indexType": track.index.rpartition(".")[2].upper()},
        },
        "displays": [
            {
                "type": "LinearBasicDisplay",
                "displayId": f"{track.name}-display",
                "renderer": {"type": "SvgFeatureRenderer", "color1": _colour(track.colour)},
            }
        ],
    }


def _probability(track: ProbabilityTrack, genome: str) -> dict[str, Any]:
    return {
        "type": "QuantitativeTrack",
        "trackId": track.name,
        "name": track.title,
        "assemblyNames": [genome],
        "category": ["Probabilities"],
        "adapter": {"type": "BigWigAdapter", "bigWigLocation": _uri(track.file)},
        "displays": [
            {
                "type": "LinearWiggleDisplay",
                "displayId": f"{track.name}-display",
                "height": 50,
                "minScore": 0,
                "maxScore": 1,
                "renderers": {"XYPlotRenderer": {"type": "XYPlotRenderer", "color": _colour(track.colour)}},
            }
        ],
    }


def _reads(folder: TrackFolder) -> dict[str, Any]:
    return {
        "type": "AlignmentsTrack",
        "trackId": "reads",
        "name": "Iso-Seq reads",
        "assemblyNames": [folder.genome],
        "category": ["Reads"],
        "adapter": {
            "type": "BamAdapter",
            "bamLocation": _uri(READS_FILE),
            "index": {"location": _uri(str(folder.reads)), "indexType": "BAI"},
        },
    }


def _uri(file: str) -> dict[str, str]:
    return {"uri": f"../{file}", "locationType": "UriLocation"}


def _colour(colour: tuple[int, int, int]) -> str:
    return f"rgb({', '.join(map(str, colour))})"
