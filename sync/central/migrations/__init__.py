"""Steps from one schema of central's database to the next (alembic); run by `database.migrate` at start."""
