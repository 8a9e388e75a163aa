"""Schema history of the `replica` file."""
