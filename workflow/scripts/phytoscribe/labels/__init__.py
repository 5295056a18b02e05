"""Per-base gene structure states, which the model predicts and the decoder reads."""
