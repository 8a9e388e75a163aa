"""Central's door to the network: the only place that knows the web framework."""
