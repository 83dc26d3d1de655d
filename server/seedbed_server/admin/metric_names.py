"""The metrics that the status is made of; the service declares them."""

SERVING = "seedbed_serving"
"""How many processes serve: 1 in each that does."""
