"""Expression of genes: measured levels from files of users, and the sequence around the ends of genes."""
