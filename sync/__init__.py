"""Both halves of one conversation: the kiosk's log, replica and client, and the central server; joined by `wire`."""
