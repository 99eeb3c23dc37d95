"""What the Makefile calls: set-up, vendoring, the demo."""
