"""What runs in the browser: install the wheel with what its metadata asks for, use it as anywhere else."""

# ruff: noqa: E402, F704, F821
import json
from base64 import b64decode
from pathlib import Path

import micropip
from js import location

origin = location.origin
await micropip.install(f"{origin}/wheels/{wheel}", index_urls=[f"{origin}/simple/{{package_name}}/"])

from vfa_gallery import Batch, Gallery, GalleryError, Journal, RetryPolicy


def refusal(call):
    try:
        call()
    except GalleryError as error:
        return {"kind": type(error).__name__, "code": error.code, "requestId": error.request_id}
    return None


picture = b64decode(names["picture"])
heard = []
gallery = Gallery(names["gallery"], names["token"])
artwork = gallery.upload(picture, title="From the browser", tags=["pyodide"], on_progress=heard.append)
paths = [Path("one.jpg"), Path("broken.jpg")]
paths[0].write_bytes(picture)
paths[1].write_bytes(b"\xff\xd8\xff\xe0 broken")
fates = []
for _ in range(2):
    with Journal(Path("journal")) as journal:
        batch = Batch(gallery, journal, workers=1)
        fates.append([str(each.fate) for each in batch.run((path, {"title": path.stem}) for path in paths)])

elsewhere = Gallery(names["nowhere"], retry=RetryPolicy(attempts=1))

json.dumps(
    {
        "artwork": artwork.to_wire(),
        "batch": fates,
        "progress": [[each.stage, each.sent] for each in heard],
        "me": gallery.me().username,
        "mine": [each.title for each in gallery.artworks(username=gallery.me().username)],
        "renamed": gallery.update(artwork, title="Renamed there").title,
        "ready": gallery.readiness(artwork).complete,
        "not found": refusal(lambda: gallery.get("art_none")),
        "stale": refusal(lambda: gallery.update(artwork, title="Too late")),
        "no picture": refusal(lambda: gallery.upload(b"\xff\xd8\xff\xe0 broken", title="Broken")),
        "unreachable": refusal(elsewhere.me),
        "installed": sorted(micropip.list()),
    }
)
