"""Per-base structure states: what the model learns and the decoder reads."""
