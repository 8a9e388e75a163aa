"""The window of virtual hardware: cards, books, the printer's paper, and switches for what may go wrong."""
