"""Original files of every accepted format, decoded to rows of pixels."""
