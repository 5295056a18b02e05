"""Task: pretraining of the encoder or of the whole trunk on masked tokens or bases."""
