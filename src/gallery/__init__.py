"""The gateway of an image pipeline on Cloudflare Workers."""

__version__ = "0.2.0"
