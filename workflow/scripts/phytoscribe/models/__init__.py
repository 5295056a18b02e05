"""The models: BigBro, the encoder over tokens, and the model built around it.

BigBro is our name for sparse attention in the manner of BigBird, with rotary positions, conditioned on the species.
"""
