"""Settings, logging and shipped policy presets."""
