"""The colours of pictures, on white."""

SAMPLE = "#9ecae1"
# A line of this colour is as easy to see as an area of the other.
MARK = "#3182bd"
DENSITY = "#d94801"
TEXT = "#333333"
MUTED = "#777777"
GRID = "#e6e6e6"
# Red above 0, blue below, white at 0.
DIVERGING = "RdBu_r"
