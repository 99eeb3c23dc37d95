"""Rendering of originals. Only `worker` imports the platform; the rest is Python and Pillow."""
