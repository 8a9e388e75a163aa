"""Schema history of the `acts` file."""
