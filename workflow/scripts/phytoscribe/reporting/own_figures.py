"""Figures of the report that belong to no genome: what the rules cost, and curves of training."""

from __future__ import annotations

from collections.abc import Iterator

from phytoscribe.reporting.drawing import Drawing
from phytoscribe.reporting.inputs import ReportInputs
from phytoscribe.reporting.process_sections import FINE_TUNING, PRETRAINING
from phytoscribe.reporting.run_costs import costs_figures
from phytoscribe.reporting.training_figures import training_curves


def draw_workflow(inputs: ReportInputs) -> Iterator[Drawing]:
    """The figures, each drawn when it is asked for."""
    if inputs.costs is not None:
        yield from costs_figures(inputs.costs)
    for stage, metrics in ((PRETRAINING, inputs.pretrain_metrics), (FINE_TUNING, inputs.structure_metrics)):
        if metrics is not None:
            yield from training_curves(stage, metrics)
