"""Who computes: one module for each kind of device, all of the same shape."""
