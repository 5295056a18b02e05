"""Checking: decide which gene models are fit for training, and give a reason for each one that is not."""
