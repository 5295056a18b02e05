"""What training reads: the training set and the validation regions."""
