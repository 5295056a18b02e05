"""A prediction against a reference annotation."""
