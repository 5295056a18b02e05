"""Quality checks of a prediction without a reference."""
