"""Split genes into training, validation and test sets so that homologues never cross.

This module holds CD-HIT's word sizes and imports nothing, because the configuration check needs them too.
"""

#: Lowest identity for each word size, from CD-HIT's user guide.  The program itself goes some percent lower, where
#: proteins of that identity too often share too few words to be found.
LOWEST_IDENTITY = {5: 0.7, 4: 0.6, 3: 0.5, 2: 0.4}


def largest_word_size(identity: float) -> int:
    """The largest, and so fastest, word size that CD-HIT accepts for an identity."""
    return max(size for size, lowest in LOWEST_IDENTITY.items() if identity >= lowest)
