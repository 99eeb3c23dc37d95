"""Rendering of originals: pure modules, and one that touches the platform (worker)."""
