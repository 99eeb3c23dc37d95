"""Taking what was removed out of the cache of the domain that serves the renditions."""

from __future__ import annotations

from gallery.artwork import Artwork
from gallery.errors import StorageError
from gallery.ports import Platform
from gallery.settings import Settings
from gallery.wire import original_of, urls_of


async def purge(platform: Platform, settings: Settings, artwork: Artwork) -> None:
    """Purge an artwork's URLs, where a domain, its zone and a token are configured; a failure is logged."""
    if not (settings.cdn_domain and settings.cdn_zone_id and settings.cdn_purge_token):
        return
    original = original_of(artwork)
    if original is None:  # another program's, and so are its files
        return
    urls = list(urls_of(settings.cdn_domain, original, artwork.version).values())
    try:
        await platform.purge(settings.cdn_purge_api, settings.cdn_zone_id, settings.cdn_purge_token, urls)
    except StorageError as error:
        platform.log({"event": "purge_failed", "keys": urls, "reason": str(error)})
