"""Which predicted genes are element-like: the classifier that is trained on a finished structure model."""
