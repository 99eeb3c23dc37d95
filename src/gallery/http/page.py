"""The head of the gallery's page: what search engines, messengers and readers without scripts see of it.

The page is one static document with three markers, which `fill` replaces: `<!--head-->`, `<!--noscript-->`
and the empty `<script type="application/json" id="site">`. Everything that people typed is escaped here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from gallery.settings import Site

# Messengers cut descriptions at about this length.
LONGEST_DESCRIPTION = 200
# Previews of links are shown at about 1200 pixels.
PREVIEW_WIDTH = 1200
# How wide the artwork page shows a picture; the same text as `sizes` in web/src/artwork.js.
ARTWORK_SIZES = "(min-width: 60rem) 66vw, 100vw"

_TITLE = re.compile(r"(?:\n *)?<title>[^<]*</title>")
_DESCRIPTION = re.compile(r'(?:\n *)?<meta name="description"[^<>]*>')
# The marker, and what the static page says after it.
_NOSCRIPT = re.compile(r"<!--noscript-->(?:\s*<noscript>.*?</noscript>)?", re.DOTALL)
_SITE = re.compile(r'(<script type="application/json" id="site">).*?(</script>)', re.DOTALL)
_SPACE = re.compile(r"\s+")

Wire = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filling:
    """What one address adds to the page: HTML for its head, and HTML for readers without scripts."""

    head: str
    noscript: str = ""


def fill(shell: str, filling: Filling, site: Site) -> str:
    """The static page with its markers replaced; a shell without markers stays as it is."""
    text = shell
    if filling.head and "<!--head-->" in text:
        text = _DESCRIPTION.sub("", _TITLE.sub("", text, count=1), count=1)
        text = text.replace("<!--head-->", filling.head, 1)
    if filling.noscript:
        text = _NOSCRIPT.sub(lambda _: filling.noscript, text, count=1)
    data = _json(_without_blanks(site))
    return _SITE.sub(lambda found: found[1] + data + found[2], text, count=1)


def home_filling(site: Site, origin: str, artworks: Iterable[Wire]) -> Filling:
    """The front page, with the artworks it begins with in their wire form."""
    shown = list(artworks)
    tags = _common(site, site.name, site.tagline, f"{origin}/", "website")
    tags += _image(shown[0]) if shown else []
    tags += [_feed(f"{origin}/feed.atom", site.name)]
    tags += [
        _structured({"@type": "WebSite", "name": site.name, "url": f"{origin}/", "description": site.tagline})
    ]
    return Filling("\n    ".join(tags), _list_of(site.name, shown))


def artist_filling(site: Site, origin: str, username: str, artworks: Iterable[Wire]) -> Filling:
    """An artist's page, with the newest of the artist's artworks in their wire form."""
    shown = list(artworks)
    url = f"{origin}{artist_path(username)}"
    about = f"Artworks by {username}."
    tags = _common(site, f"{username} – {site.name}", about, url, "profile")
    tags += _image(shown[0]) if shown else []
    tags += [_feed(f"{url}/feed.atom", username)]
    person = {"@type": "Person", "name": username, "url": url}
    tags += [_structured({"@type": "ProfilePage", "url": url, "mainEntity": person})]
    return Filling("\n    ".join(tags), _list_of(username, shown))


def artwork_filling(site: Site, origin: str, artwork: Wire) -> Filling:
    """The page of one artwork in its wire form, with structured data and a preload of its picture."""
    username, title = artwork["username"], artwork["title"]
    url = f"{origin}{artwork_path(artwork)}"
    about = description_of(artwork)
    tags = _common(site, f"{title} by {username} – {site.name}", about, url, "article")
    tags += _image(artwork)
    tags += _preload(artwork)
    tags += [_feed(f"{origin}{artist_path(username)}/feed.atom", username)]
    tags += [_structured(_visual_artwork(artwork, origin, url))]
    # The page begins with this record, so that it need not ask for it first.
    tags += [f'<script type="application/json" id="artwork">{_json(artwork)}</script>']
    return Filling("\n    ".join(tags), _article(artwork))


def missing_filling(site: Site, what: str) -> Filling:
    """A page that does not exist, which no search engine should keep; `what` is the sentence that says so."""
    tags = [f"<title>{escape(what)} – {escape(site.name)}</title>", '<meta name="robots" content="noindex">']
    return Filling("\n    ".join(tags), f"<noscript><p>{escape(what)}</p></noscript>")


def plain_filling(site: Site, title: str) -> Filling:
    """A page of the site itself that has nothing to be found by, such as the upload form."""
    tags = [f"<title>{escape(title)} – {escape(site.name)}</title>", '<meta name="robots" content="noindex">']
    return Filling("\n    ".join(tags))


def artist_path(username: str) -> str:
    return f"/artists/{quote(username, safe='')}"


def artwork_path(artwork: Wire) -> str:
    return f"{artist_path(artwork['username'])}/{quote(artwork['slug'], safe='')}"


def description_of(artwork: Wire) -> str:
    """One line about an artwork of at most LONGEST_DESCRIPTION characters."""
    facts = [artwork.get("materials"), artwork.get("dimensions"), artwork.get("createdDate")]
    made_of = ", ".join(fact for fact in facts if fact)
    text = artwork.get("description") or artwork.get("altText") or made_of
    return _short(text or f"An artwork by {artwork['username']}.")


def alternative_text(artwork: Wire) -> str:
    """What stands for the picture where it cannot be seen."""
    return str(artwork.get("altText") or artwork["title"])


def preview_of(artwork: Wire) -> Wire | None:
    """The narrowest display rendition that is wide enough for a preview: url, width and height."""
    display: list[Wire] = [each for each in artwork.get("display") or () if each["url"]]
    wide = [each for each in display if (each["width"] or 0) >= PREVIEW_WIDTH]
    if display:
        return (wide or display[-1:])[0]
    url = artwork.get("displayUrl")
    return {"url": url, "width": artwork.get("width"), "height": artwork.get("height")} if url else None


def _common(site: Site, title: str, about: str, url: str, kind: str) -> list[str]:
    return [
        f"<title>{escape(title)}</title>",
        _meta("name", "description", about),
        f'<link rel="canonical" href="{escape(url)}">',
        _meta("property", "og:type", kind),
        _meta("property", "og:site_name", site.name),
        _meta("property", "og:title", title),
        _meta("property", "og:description", about),
        _meta("property", "og:url", url),
    ]


def _image(artwork: Wire) -> list[str]:
    preview = preview_of(artwork)
    if preview is None:
        return []
    sizes = [
        _meta("property", f"og:image:{name}", str(preview[name]))
        for name in ("width", "height")
        if preview[name]
    ]
    return [
        _meta("property", "og:image", preview["url"]),
        *sizes,
        _meta("property", "og:image:alt", alternative_text(artwork)),
        _meta("name", "twitter:card", "summary_large_image"),
    ]


def _preload(artwork: Wire) -> list[str]:
    url = artwork.get("displayUrl")
    if not url:
        return []
    choice = _source_set(artwork, "image")
    return [f'<link rel="preload" as="image" href="{escape(url)}"{choice} fetchpriority="high">']


def _source_set(artwork: Wire, prefix: str = "") -> str:
    display = artwork.get("display") or ()
    if len(display) < 2:
        return ""
    candidates = ", ".join(f"{each['url']} {each['width']}w" for each in display)
    return f' {prefix}srcset="{escape(candidates)}" {prefix}sizes="{ARTWORK_SIZES}"'


def _visual_artwork(artwork: Wire, origin: str, url: str) -> dict[str, Any]:
    """https://schema.org/VisualArtwork"""
    username = artwork["username"]
    return {
        "@type": "VisualArtwork",
        "name": artwork["title"],
        "url": url,
        "description": artwork.get("description"),
        "image": artwork.get("displayUrl"),
        "thumbnailUrl": artwork.get("thumbnailUrl"),
        "artform": artwork.get("category"),
        "artMedium": artwork.get("materials"),
        "size": artwork.get("dimensions"),
        "dateCreated": artwork.get("createdDate"),
        "datePublished": artwork.get("createdAt"),
        "dateModified": artwork.get("updatedAt"),
        "keywords": ", ".join(artwork.get("tags") or ()) or None,
        "creator": {"@type": "Person", "name": username, "url": f"{origin}{artist_path(username)}"},
    }


def _structured(data: dict[str, Any]) -> str:
    known = {name: value for name, value in data.items() if value is not None}
    return f'<script type="application/ld+json">{_json({"@context": "https://schema.org", **known})}</script>'


def _feed(url: str, title: str) -> str:
    return f'<link rel="alternate" type="application/atom+xml" href="{escape(url)}" title="{escape(title)}">'


def _article(artwork: Wire) -> str:
    username, url = artwork["username"], artwork.get("displayUrl")
    lines = [f"<h1>{escape(artwork['title'])}</h1>"]
    lines += [f'<p>by <a href="{artist_path(username)}">{escape(username)}</a></p>']
    if url:
        size = "".join(f' {n}="{artwork[n]}"' for n in ("width", "height") if artwork.get(n))
        lines += [
            f'<img src="{escape(url)}"{_source_set(artwork)}{size} alt="{escape(alternative_text(artwork))}">'
        ]
    lines += [
        f"<p>{escape(text)}</p>" for text in (artwork.get("description"), artwork.get("materials")) if text
    ]
    return f'<noscript><article class="plain">{"".join(lines)}</article></noscript>'


def _list_of(heading: str, artworks: list[Wire]) -> str:
    entries = "".join(
        f'<li><a href="{artwork_path(each)}">{_small_image(each)}{escape(each["title"])}</a>'
        f" by {escape(each['username'])}</li>"
        for each in artworks
    )
    return f'<noscript><h1>{escape(heading)}</h1><ul class="plain">{entries}</ul></noscript>'


def _small_image(artwork: Wire) -> str:
    url = artwork.get("thumbnailUrl")
    return f'<img src="{escape(url)}" width="150" height="150" loading="lazy" alt=""> ' if url else ""


def _meta(attribute: str, name: str, content: str) -> str:
    return f'<meta {attribute}="{name}" content="{escape(content)}">'


def _without_blanks(site: Site) -> dict[str, Any]:
    values = {
        "name": site.name,
        "tagline": site.tagline,
        "logoUrl": site.logo_url,
        "accent": site.accent,
        "footerText": site.footer_text,
        "maxUploadBytes": site.max_upload_bytes,
        "footerLinks": [{"text": text, "url": url} for text, url in site.footer_links],
    }
    return {name: value for name, value in values.items() if value}


def _json(value: object) -> str:
    """JSON that cannot end the script element it stands in (HTML, 4.12.1.3)."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _short(text: str) -> str:
    line = _SPACE.sub(" ", text).strip()
    if len(line) <= LONGEST_DESCRIPTION:
        return line
    cut = line[: LONGEST_DESCRIPTION - 1]
    return f"{cut.rpartition(' ')[0] or cut}…"
