"""Random operations against a running gallery, compared with a model of what it must hold."""
