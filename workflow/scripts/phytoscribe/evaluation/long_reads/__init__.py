"""A prediction against Iso-Seq reads."""
