"""A problem that the person at the terminal can mend: one sentence, no traceback."""


class Problem(Exception):
    """Its text says what is wrong and what to do."""
