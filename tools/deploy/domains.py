"""What is to be done about the domains of the bucket: each serves all of it, the originals, too."""

from __future__ import annotations

from dataclasses import dataclass

from tools.deploy.survey import Survey
from tools.deploy.target import Target
from tools.deploy.wishes import Wishes
from tools.problem import Problem


@dataclass(frozen=True, slots=True)
class Domains:
    """`connect` is a new one, `guard` are (zone, host) whose firewall rule is made sure of.

    `unguarded` are hosts whose rule cannot be looked at, `probe` those that must refuse originals; `settling`
    says that the images domain may not answer yet.
    """

    connect: str | None = None
    guard: tuple[tuple[str, str], ...] = ()
    unguarded: tuple[str, ...] = ()
    probe: tuple[str, ...] = ()
    settling: bool = False


def domains(target: Target, survey: Survey, wishes: Wishes) -> Domains:
    """Raises a Problem when a new domain would be connected without a rule."""
    wanted = wishes.images_domain or target.images_domain
    listed = {each.host: each for each in survey.domains}
    new = wanted if wanted and wanted not in listed else None
    settling = bool(new) or bool(wanted and not listed[wanted].active)
    if new and not wishes.zone:
        raise Problem(f"{new} is not connected to the bucket yet: name its zone with --zone-id")
    if target.variables["PUBLIC_ORIGINALS"] == "true":
        return Domains(connect=new, settling=settling)
    if new and not (wishes.has_token or wishes.rule_made):
        raise Problem(
            f"{new} would serve the whole bucket, so a firewall rule must guard the originals first: set "
            "CLOUDFLARE_API_TOKEN to a token with Zone WAF: Edit, or make the rule as docs/deploy.md shows "
            "and pass --rule-made"
        )
    zones = {each.host: each.zone for each in survey.domains if each.enabled}
    if wanted and (new or (wanted in zones and not zones[wanted])):
        zones[wanted] = wishes.zone
    if wishes.rule_made:
        return Domains(connect=new, probe=tuple(zones), settling=settling)
    guard = tuple((zone, host) for host, zone in zones.items() if zone and wishes.has_token)
    guarded = {host for _, host in guard}
    unguarded = tuple(host for host in zones if host not in guarded)
    return Domains(new, guard, unguarded, tuple(zones), settling)
