"""The demo: a stage with virtual hardware and a real central, played by hand or by a script."""
