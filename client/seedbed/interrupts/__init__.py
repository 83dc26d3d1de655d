"""What Ctrl-C, or another signal whose handler raises, must not break off."""
