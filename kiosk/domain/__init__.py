"""The rules of the house. Pure: time, ids and randomness are passed in; the same code decides at the kiosk and at central."""
