"""What a prediction shows without a reference."""
