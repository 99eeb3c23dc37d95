"""The version of the client: of the distribution, its User-Agent and its changelog."""

__version__ = "0.2.0"
