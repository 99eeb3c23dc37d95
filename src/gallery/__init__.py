"""The gateway of an image pipeline on Cloudflare Workers."""

__version__ = "0.1.0"
