"""Per-base structure states: what the model learns and the decoder reads."""

from phytoscribe.labels.encode import (
    label_contig,
    label_sites,
    label_transcript,
    mark_unknown_untranslated,
    transcripts_from_labels,
)
from phytoscribe.labels.states import (
    BOUNDARY_STATES,
    CODING_STATES,
    INTRON_STATES,
    LABEL_COUNT,
    NON_CODING_LABEL,
    NON_CODING_STATES,
    STATE_COUNT,
    State,
)

__all__ = [
    "BOUNDARY_STATES",
    "CODING_STATES",
    "INTRON_STATES",
    "LABEL_COUNT",
    "NON_CODING_LABEL",
    "NON_CODING_STATES",
    "STATE_COUNT",
    "State",
    "label_contig",
    "label_sites",
    "label_transcript",
    "mark_unknown_untranslated",
    "transcripts_from_labels",
]
