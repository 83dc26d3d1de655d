"""The backends that compute elements: a processor's and a GPU's, of the same shape."""
