"""The benchmark suite: see README.md for what it measures and how."""
