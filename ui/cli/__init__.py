"""The command `shelfpoint`: one module per command group, loaded by name when called."""
