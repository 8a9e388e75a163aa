"""The heart: what a library kiosk decides, without any device, database or screen (standard library only)."""
