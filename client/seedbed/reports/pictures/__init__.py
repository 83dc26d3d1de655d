"""Pictures of samples, each kind of content drawn as what it is."""
