"""The table of wrong inputs: what people write by mistake, by the door that they come through.

A table of its own for each door; manifests' files are another one.
"""
