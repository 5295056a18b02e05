"""From per-base state probabilities to gene models that obey the gene grammar."""
