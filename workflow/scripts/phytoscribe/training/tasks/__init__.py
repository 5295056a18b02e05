"""Training tasks, one package each: data, loss, selection of the checkpoint, export."""
