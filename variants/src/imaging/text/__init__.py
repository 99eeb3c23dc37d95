"""The watermark: its fonts, the order of its characters, its place on a picture."""
