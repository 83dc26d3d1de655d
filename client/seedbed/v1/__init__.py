"""Generated from proto/seedbed/v1 by tools/generate_protos.py; never edited."""
