"""Task: hidden tokens or bases, the pretraining of the encoder or of the whole trunk."""
