"""Shipped lending policies, one TOML file each."""
