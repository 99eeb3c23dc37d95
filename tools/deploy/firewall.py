"""The rule that keeps originals private on the images domain, which would else serve the whole bucket."""

from __future__ import annotations

from typing import Any

import httpx

from tools.problem import Problem

API = "https://api.cloudflare.com/client/v4"
PHASE = "http_request_firewall_custom"
PUBLIC_FOLDERS = ("/display/", "/thumbnails/", "/icons/")


def rule(host: str) -> dict[str, Any]:
    """Blocks all but the folders of renditions: a list of what is allowed has no second spelling."""
    allowed = " or ".join(f'starts_with(http.request.uri.path, "{folder}")' for folder in PUBLIC_FOLDERS)
    return {
        "ref": f"vfa_originals_{host.replace('.', '_').replace('-', '_')}",
        "description": f"Originals on {host} are private",
        "expression": f'(lower(http.host) eq "{host}" and not ({allowed}))',
        "action": "block",
        "enabled": True,
    }


def protect(client: httpx.Client, zone: str, host: str) -> str:
    """Make sure the zone has the rule; other people's rules stay as they are."""
    wanted = rule(host)
    entrypoint = client.get(f"/zones/{zone}/rulesets/phases/{PHASE}/entrypoint")
    if entrypoint.status_code == httpx.codes.NOT_FOUND:
        ruleset = {"name": "default", "kind": "zone", "phase": PHASE, "rules": [wanted]}
        _checked(client.post(f"/zones/{zone}/rulesets", json=ruleset))
        return "the rule was made"
    found = _checked(entrypoint)
    address = f"/zones/{zone}/rulesets/{found['id']}/rules"
    same = next((each for each in found.get("rules", []) if each.get("ref") == wanted["ref"]), None)
    if same is None:
        _checked(client.post(address, json=wanted))
        return "the rule was added"
    if any(same.get(name) != value for name, value in wanted.items()):
        _checked(client.patch(f"{address}/{same['id']}", json=wanted))
        return "the rule was mended"
    return "the rule is there"


def guard(token: str, base_url: str, zone: str, host: str) -> str:
    """`protect` with a client of its own."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with httpx.Client(base_url=base_url, headers=headers, timeout=30) as client:
            return protect(client, zone, host)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Problem(
            f"Cloudflare cannot be asked for the firewall rule of {host}: {str(error) or repr(error)}"
        ) from error


def _checked(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError:
        answer = {}
    if response.is_error or not answer.get("success"):
        reasons = "; ".join(each.get("message", "") for each in answer.get("errors", []))
        raise Problem(
            f"the firewall rule for the images domain could not be set ({response.status_code}"
            f"{': ' + reasons if reasons else ''}); give CLOUDFLARE_API_TOKEN Zone WAF: Edit on the zone, or "
            "make the rule as docs/deploy.md shows and pass --rule-made"
        )
    return dict(answer["result"])
