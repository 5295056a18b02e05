"""The BigBro encoder and the models built on it."""
