"""The split without homology between its parts.

Here stand the word sizes of CD-HIT, which the check of a configuration needs too: this module imports nothing.
"""

#: Lowest identity for each word size, from CD-HIT's user guide.  The program itself goes some percent lower, where
#: proteins of that identity too often share too few words to be found.
LOWEST_IDENTITY = {5: 0.7, 4: 0.6, 3: 0.5, 2: 0.4}


def largest_word_size(identity: float) -> int:
    """The largest, and so fastest, word size that CD-HIT accepts for an identity."""
    return max(size for size, lowest in LOWEST_IDENTITY.items() if identity >= lowest)
