"""Whom an isolate refuses for a while."""

from __future__ import annotations

PERIOD = 60.0  # seconds, that of the rate limit which says so


class Refused:
    """Users, each until a time of the given clock."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}

    def refuse(self, user_id: str, now: float) -> None:
        """Refuse a user for PERIOD seconds from now on."""
        self._until = {user: until for user, until in self._until.items() if until > now}
        self._until[user_id] = now + PERIOD

    def seconds_left(self, user_id: str, now: float) -> float:
        """How long the user is refused still; not at all when it is 0 or less."""
        return self._until.get(user_id, now) - now
