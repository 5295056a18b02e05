"""The training loop: order of windows, ranks, checkpoints, stopping and resuming."""
