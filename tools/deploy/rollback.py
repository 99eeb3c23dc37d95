"""Releases across all Workers: every run of `make deploy` tags the versions that it deploys alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from tools.deploy import account
from tools.deploy.account import Wrangler
from tools.deploy.config import Target
from tools.problem import Problem


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a Worker; `number` grows with each, `release` is empty for one without a tag."""

    id: str
    number: int
    release: str
    is_current: bool = False


def release_name(now: datetime) -> str:
    """The tag of a release: its time in UTC, so that names sort by time."""
    return f"{now:%Y%m%dT%H%M%SZ}"


def parse_versions(text: str, current: str | None) -> list[Version]:
    """What `versions list --json` prints, the newest first; Wrangler lists ten."""
    versions = [
        Version(
            each["id"],
            each["number"],
            (each.get("annotations") or {}).get("workers/tag") or "",
            each["id"] == current,
        )
        for each in account.parse_json(text, "versions")
    ]
    return sorted(versions, key=lambda each: each.number, reverse=True)


def read_versions(target: Target, wrangler: Wrangler) -> dict[str, list[Version]]:
    """The versions of every Worker, the newest first.

    Raises:
        Problem: a Worker is not deployed, or a command failed.
    """

    def read(project: str) -> list[Version]:
        def run(*words: str) -> account.Outcome:
            return wrangler.run(*words, target.option, folder=target.folder(project))

        current = account.parse_current_version(run("deployments", "status", "--json"))
        if current is None:
            raise Problem(f"the {project} Worker is not deployed yet")
        words = ("versions", "list", "--json")
        return parse_versions(account.output_of(run(*words), account.command_name(words)), current)

    with ThreadPoolExecutor(len(target.projects)) as pool:
        return dict(zip(target.projects, pool.map(read, target.projects), strict=True))


def describe_releases(versions: dict[str, list[Version]]) -> Iterator[str]:
    """A line for each release that all Workers have, the newest first, then one for each other Worker."""
    shared = _shared_releases(versions)
    current = {project: _current_release(found) for project, found in versions.items()}
    for release in shared:
        running = sorted(project for project, each in current.items() if each == release)
        note = "current" if len(running) == len(versions) else f"current in {', '.join(running)}"
        yield f"{release}  {note}".rstrip() if running else release
    for project, release in current.items():
        if release not in shared:
            yield f"the {project} Worker runs {release or 'a version that `make deploy` did not tag'}"


def choose_release(versions: dict[str, list[Version]], wanted: str) -> str:
    """The release to return to: `wanted`, or for an empty text the one before the current release.

    Raises:
        Problem: there is none, or Workers run different releases and none is named.
    """
    shared = _shared_releases(versions)
    if wanted:
        if wanted not in shared:
            raise Problem(f"not every Worker has a version of {wanted}; --versions lists the releases")
        return wanted
    current = {_current_release(found) for found in versions.values()}
    if len(current) != 1 or "" in current:
        raise Problem(
            "the Workers run different releases: name one of those that --versions lists: --rollback RELEASE"
        )
    (running,) = current
    earlier = [release for release in shared if release < running]
    if not earlier:
        raise Problem("there is no earlier release of all Workers among the last ten versions of each")
    return earlier[0]


def roll_back(
    target: Target, wrangler: Wrangler, release: str, report: Callable[[str], None] = print, *, dry_run: bool
) -> None:
    """Deploy the versions of a release again: the gateway first, in the reverse order of a deployment.

    Raises:
        Problem: a Worker lacks the release, or a command failed; repeat it with the release's name.
    """
    versions = read_versions(target, wrangler)
    release = choose_release(versions, release)
    report(f"{target.environment} → release {release}")
    for project in reversed(target.projects):
        version = next(each for each in versions[project] if each.release == release)
        words = ("rollback", version.id, "--yes", "--message", f"Back to {release}")
        if version.is_current:
            report(f"    {project}: runs it already")
        elif dry_run:
            report(f"    {project}: wrangler {' '.join(words[:2])}")
        else:
            outcome = wrangler.run(*words, target.option, folder=target.folder(project))
            account.output_of(outcome, f"`wrangler rollback` of the {project} Worker")
            report(f"  ✓ {project}")


def _shared_releases(versions: dict[str, list[Version]]) -> list[str]:
    """Releases of which every Worker has a version, the newest first."""
    tags = [{each.release for each in found} for found in versions.values()]
    return sorted(set.intersection(*tags) - {""}, reverse=True)


def _current_release(versions: list[Version]) -> str:
    return next((each.release for each in versions if each.is_current), "")
