"""What can be trained, one package a task: data, loss, selection of the checkpoint, export."""
