"""The other side of each device: twins that behave, and misbehave, like hardware on the real paths of their drivers."""
