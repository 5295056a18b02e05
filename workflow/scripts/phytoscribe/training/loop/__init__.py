"""The training loop: order of windows, ranks, checkpoints, stop and resume."""
