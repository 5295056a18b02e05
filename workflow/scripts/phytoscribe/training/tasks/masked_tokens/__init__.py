"""Task: masked tokens, the pretraining of the encoder."""
