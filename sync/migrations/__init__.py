"""Schema histories of the kiosk's two files: `acts` (precious) and `replica` (rebuildable)."""
