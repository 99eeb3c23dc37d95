"""Bearer tokens for the tests."""

from __future__ import annotations

from typing import Any

import jwt
from tests.support.gallery.world import SECRETS, START


def token(user_id: str = "usr_ada", **claims: Any) -> str:
    payload = {"sub": user_id, "exp": int(START) + 20 * 86_400} | claims
    return jwt.encode(
        {name: value for name, value in payload.items() if value is not None},
        SECRETS["AUTH_JWT_SECRET"],
        algorithm="HS256",
    )


def bearer(user_id: str = "usr_ada", **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(user_id, **claims)}"}
