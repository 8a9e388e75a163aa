"""Hardware: card readers, scanners, printers; each driver owns its handle in one thread under the supervisor."""
