"""The siblings' edge, inside workerd: R2 in, R2 out, HTTP around it."""

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest
from PIL import Image
from tests.support.imaging.fonts_in_pack import PACK
from tests.support.imaging.originals import encoded, psnr, scene
from tests.support.imaging.rendering import rendered, seen

from imaging.render import Options
from imaging.text.fonts import needed_shards, read_pack
from imaging.variants import Variant

ROOT = Path(__file__).parents[3]
TOKEN = {"Authorization": "Bearer {token}"}
ORIGINAL = encoded(scene(400, 300), "JPEG", quality=92)


class Sibling:
    """One sibling in workerd, spoken to through the pipes of tests/support/imaging/edge.mjs."""

    def __init__(self, variant: str, mebibytes: int | None = None, **variables: str) -> None:
        self.variant = variant
        command = ["node", "tests/support/imaging/edge.mjs", variant, json.dumps(variables)]
        command += [str(mebibytes)] if mebibytes else []
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._read()

    def _read(self) -> Any:
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith("@"):
                return None if line == "@ready\n" else json.loads(line[1:])
        raise AssertionError("the sibling stopped")

    def call(self, **message: Any) -> Any:
        stdin: IO[str] | None = self._process.stdin
        assert stdin
        stdin.write(json.dumps(message) + "\n")
        stdin.flush()
        return self._read()

    def put(self, key: str, data: bytes) -> str:
        return str(self.call(put=key, base64=base64.b64encode(data).decode())["etag"])

    def send(self, *requests: dict[str, Any]) -> list[tuple[int, dict[str, str], Any]]:
        answers = self.call(requests=list(requests))["answers"]
        return [(each["status"], each["headers"], json.loads(each["text"])) for each in answers]

    def request(self, headers: dict[str, str] = TOKEN, **changes: Any) -> dict[str, Any]:
        body = {"sourceKey": "originals/u/a.jpg", "outputKey": "icons/u/a.jpg", "size": 128, "timestamp": 1}
        return {
            "path": f"/process-{self.variant}",
            "method": "POST",
            "headers": headers,
            "body": json.dumps({**body, **changes}),
        }

    def stop(self) -> None:
        self._process.communicate(timeout=20)


@pytest.fixture(scope="module")
def icon() -> Iterator[Sibling]:
    sibling = Sibling("icon", BACKGROUND="#204060")
    sibling.put("originals/u/a.jpg", ORIGINAL)
    yield sibling
    sibling.stop()


def test_a_rendition_is_stored_and_described_in_the_answer(icon: Sibling) -> None:
    etag = icon.put("originals/u/a.jpg", ORIGINAL)
    [(status, headers, answer)] = icon.send(icon.request({**TOKEN, "X-Request-Id": "r-17"}, sourceEtag=etag))
    assert status == 200
    assert headers["x-request-id"] == "r-17"
    stored = icon.call(get="icons/u/a.jpg")
    data = base64.b64decode(stored["base64"])
    assert stored["httpMetadata"] == {
        "contentType": "image/jpeg",
        "cacheControl": "public, max-age=31536000, immutable",
    }
    digest = hashlib.sha256(data).hexdigest()
    assert answer["success"] is True
    assert (answer["sha256"], stored["sha256"]) == (digest, digest)
    assert (answer["etag"], answer["bytes"]) == (stored["etag"], len(data))
    assert (answer["key"], answer["width"], answer["height"]) == ("icons/u/a.jpg", 128, 128)
    assert (answer["sourceWidth"], answer["sourceHeight"]) == (400, 300)
    assert answer["finishedAt"] >= answer["startedAt"] > 1_600_000_000_000
    assert {"wait", "fetch", "decode", "encode", "store"} <= set(answer["stages"])
    assert all(isinstance(value, int) and value >= 0 for value in answer["stages"].values())


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [({}, 401, "unauthorized"), ({"Authorization": "Bearer nonsense"}, 401, "unauthorized")],
)
def test_only_the_gateway_is_served(icon: Sibling, headers: dict[str, str], status: int, code: str) -> None:
    [(answered, _, answer)] = icon.send(icon.request(headers))
    assert (answered, answer["code"], answer["success"]) == (status, code, False)


@pytest.mark.parametrize(
    "change", [{"method": "GET"}, {"path": "/process-thumbnail"}, {"path": "/"}, {"method": "PURGE"}]
)
def test_it_answers_one_call_only(icon: Sibling, change: dict[str, Any]) -> None:
    request = {**icon.request(), **change}
    if request["method"] == "GET":
        del request["body"]
    [(status, _, answer)] = icon.send(request)
    assert (status, answer["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("body", ["", "not json", "[]", "{}", '{"sourceKey": 5}'])
def test_a_body_that_makes_no_sense_is_refused(icon: Sibling, body: str) -> None:
    [(status, _, answer)] = icon.send({**icon.request(), "body": body})
    assert (status, answer["code"]) == (400, "invalid_request")


def test_an_original_that_is_not_there(icon: Sibling) -> None:
    [(status, _, answer)] = icon.send(icon.request(sourceKey="originals/u/none.jpg"))
    assert (status, answer["code"]) == (404, "source_missing")


def test_an_original_that_was_replaced(icon: Sibling) -> None:
    [(status, _, answer)] = icon.send(icon.request(sourceEtag="0" * 32))
    assert (status, answer["code"]) == (409, "source_changed")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 415, "unsupported_type"),
        (b"text, and no picture", 415, "unsupported_type"),
        (ORIGINAL[:3000], 422, "unreadable_image"),
        (b"GIF89a" + b"\x20\x4e\x20\x4e" + b"\0\0\0," + bytes(64), 413, "too_large"),
    ],
)
def test_a_picture_at_fault(icon: Sibling, data: bytes, status: int, code: str) -> None:
    icon.put("originals/u/bad.jpg", data)
    [(answered, _, answer)] = icon.send(
        icon.request(sourceKey="originals/u/bad.jpg", outputKey="icons/u/bad.jpg")
    )
    assert (answered, answer["code"]) == (status, code)
    assert icon.call(get="icons/u/bad.jpg") == {"missing": True}


def test_requests_that_arrive_together_are_rendered_one_after_another(icon: Sibling) -> None:
    requests = [icon.request(outputKey=f"icons/u/{number}.jpg") for number in range(6)]
    answers = icon.send(*requests)
    assert [status for status, _, _ in answers] == [200] * 6
    spans = sorted((answer["startedAt"], answer["finishedAt"]) for _, _, answer in answers)
    assert all(later[0] >= earlier[1] - 2 for earlier, later in pairwise(spans))


def test_a_queue_that_is_full_refuses(icon: Sibling) -> None:
    answers = icon.send(*(icon.request(outputKey=f"icons/u/{number}.jpg") for number in range(90)))
    refused = [(headers, answer) for status, headers, answer in answers if status == 503]
    assert refused
    assert all(status in (200, 503) for status, _, _ in answers)
    assert all(
        int(headers["retry-after"]) >= 1 and answer["code"] == "overloaded" for headers, answer in refused
    )
    [(status, _, _)] = icon.send(icon.request())
    assert status == 200


@pytest.fixture(scope="module")
def watermark() -> Iterator[Sibling]:
    sibling = Sibling("watermark")
    sibling.put("originals/u/a.jpg", ORIGINAL)
    yield sibling
    sibling.stop()


@pytest.mark.parametrize("name", ["फ़नकार_1", "فنان", "אמן", "ศิลปิน", "画家と화가", "কবি"])
def test_a_name_in_any_script_is_marked_as_by_native_python(watermark: Sibling, name: str) -> None:
    pack, _ = read_pack()
    watermark.put(pack, PACK)
    output = "display/u/named.jpg"
    [(status, _, _)] = watermark.send(watermark.request(outputKey=output, username=name))
    assert status == 200
    shards = {shard: PACK[shard.offset : shard.offset + shard.length] for shard in needed_shards(name)}
    native = rendered(Variant.WATERMARK, ORIGINAL, Options(text=f"@{name}", shards=shards))
    with Image.open(BytesIO(base64.b64decode(watermark.call(get=output)["base64"]))) as stored:
        assert psnr(stored, seen(native)) >= 45


def test_a_name_whose_font_is_not_in_the_bucket_is_marked_with_its_codes(watermark: Sibling) -> None:
    watermark.call(delete=read_pack()[0])
    output = "display/u/coded.jpg"
    [(status, _, _)] = watermark.send(watermark.request(outputKey=output, username="画"))
    assert status == 200
    native = rendered(Variant.WATERMARK, ORIGINAL, Options(text="@U+753B"))
    with Image.open(BytesIO(base64.b64decode(watermark.call(get=output)["base64"]))) as stored:
        assert psnr(stored, seen(native)) >= 45


OTHER = encoded(scene(300, 400), "JPEG", quality=80)


def stored(icon: Sibling, key: str) -> str:
    return hashlib.sha256(base64.b64decode(icon.call(get=key)["base64"])).hexdigest()


def test_a_rendition_of_a_later_try_is_not_overwritten(icon: Sibling) -> None:
    icon.put("originals/u/other.jpg", OTHER)
    key = "icons/u/tries.jpg"
    first = icon.request(outputKey=key, attempt=1)
    second = icon.request(outputKey=key, attempt=2, sourceKey="originals/u/other.jpg")
    [(status, _, made)] = icon.send(first)
    assert status == 200
    [(status, _, remade)] = icon.send(second)
    assert (status, stored(icon, key)) == (200, remade["sha256"])
    assert made["sha256"] != remade["sha256"]
    [(status, _, late)] = icon.send(first)
    assert (status, late["code"]) == (409, "too_late")
    assert stored(icon, key) == remade["sha256"]
    [(status, _, again)] = icon.send(second)
    assert (status, again["sha256"]) == (200, remade["sha256"])


def test_an_object_of_another_writer_is_overwritten(icon: Sibling) -> None:
    icon.put("icons/u/foreign.jpg", b"not a picture")
    [(status, _, made)] = icon.send(icon.request(outputKey="icons/u/foreign.jpg", attempt=1))
    assert (status, stored(icon, "icons/u/foreign.jpg")) == (200, made["sha256"])


def test_after_the_deadline_nothing_is_put(icon: Sibling) -> None:
    late = icon.request(outputKey="icons/u/late.jpg", deadline="2026-01-01T00:00:00Z")
    [(status, _, answer)] = icon.send(late)
    assert (status, answer["code"]) == (409, "too_late")
    assert icon.call(get="icons/u/late.jpg") == {"missing": True}
    [(status, _, _)] = icon.send(icon.request(outputKey="icons/u/late.jpg", deadline="2999-01-01T00:00:00Z"))
    assert status == 200


def narrower(*widths: int, name: str = "wide") -> list[dict[str, Any]]:
    return [{"outputKey": f"display/u/{name}-{width}.jpg", "width": width} for width in widths]


@pytest.fixture(scope="module")
def wide(watermark: Sibling) -> str:
    watermark.put("originals/u/wide.jpg", encoded(scene(900, 600), "JPEG", quality=92))
    return "originals/u/wide.jpg"


def test_narrower_widths_are_stored_and_described(watermark: Sibling, wide: str) -> None:
    request = watermark.request(
        sourceKey=wide,
        outputKey="display/u/wide.jpg",
        username="mira",
        narrower=narrower(1280, 640, 320),
        attempt=2,
    )
    [(status, _, answer)] = watermark.send(request)
    assert (status, answer["width"], answer["height"]) == (200, 900, 600)
    assert [each["width"] for each in answer["narrower"]] == [320, 640]
    for each in answer["narrower"]:
        stored = watermark.call(get=each["key"])
        data = base64.b64decode(stored["base64"])
        assert each == {
            "key": f"display/u/wide-{each['width']}.jpg",
            "width": each["width"],
            "height": round(each["width"] * 2 / 3),
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "etag": stored["etag"],
        }
        with Image.open(BytesIO(data)) as picture:
            assert picture.size == (each["width"], each["height"])
    assert watermark.call(get="display/u/wide-1280.jpg") == {"missing": True}


def test_a_request_without_narrower_widths_gets_the_answer_it_always_got(
    watermark: Sibling, wide: str
) -> None:
    request = watermark.request(sourceKey=wide, outputKey="display/u/plain.jpg", username="mira")
    [(status, _, answer)] = watermark.send(request)
    assert (status, "narrower" in answer) == (200, False)


def test_an_earlier_try_overwrites_no_narrower_width_of_a_later_one(watermark: Sibling, wide: str) -> None:
    def request(attempt: int, username: str, name: str) -> dict[str, Any]:
        return watermark.request(
            sourceKey=wide,
            outputKey=f"display/u/{name}.jpg",
            username=username,
            narrower=narrower(640, name="tried"),
            attempt=attempt,
        )

    [(status, _, later)] = watermark.send(request(2, "mira", "tried"))
    assert status == 200
    # Only the narrower width has been written by a later try: the render fails as a whole.
    [(status, _, earlier)] = watermark.send(request(1, "someone", "tried-elsewhere"))
    assert (status, earlier["code"], "key" in earlier) == (409, "too_late", False)
    [kept] = later["narrower"]
    assert watermark.call(get=kept["key"])["etag"] == kept["etag"]


def test_after_the_deadline_no_narrower_width_is_put(watermark: Sibling, wide: str) -> None:
    request = watermark.request(
        sourceKey=wide,
        outputKey="display/u/late.jpg",
        username="mira",
        narrower=narrower(640, name="late"),
        deadline="2026-01-01T00:00:00Z",
    )
    assert [status for status, _, _ in watermark.send(request)] == [409]
    assert watermark.call(get="display/u/late-640.jpg") == {"missing": True}


@pytest.mark.parametrize("sent", [5, [5], narrower(0), [{"outputKey": "display/v/a.jpg", "width": 640}]])
def test_malformed_narrower_widths_are_refused_with_400(watermark: Sibling, wide: str, sent: object) -> None:
    request = watermark.request(
        sourceKey=wide, outputKey="display/u/wide.jpg", username="mira", narrower=sent
    )
    [(status, _, answer)] = watermark.send(request)
    assert (status, answer["code"]) == (400, "invalid_request")
    assert "narrower" in answer["error"]


def averages(picture: Image.Image) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(picture.convert("RGB").resize((12, 12), Image.Resampling.BOX), np.float64)


@pytest.mark.parametrize(
    ("mode", "options"),
    [("RGB", {"quality": 75}), ("RGB", {"lossless": True, "quality": 0}), ("RGBA", {"quality": 75})],
    ids=["lossy", "lossless", "alpha"],
)
def test_a_webp_of_twelve_megapixels_is_rendered(
    icon: Sibling, watermark: Sibling, mode: str, options: dict[str, Any]
) -> None:
    picture = scene(4000, 3000).convert(mode)
    if mode == "RGBA":
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    data = encoded(picture, "WEBP", method=0, **options)
    ground = Image.new("RGBA", picture.size, "white")
    expected = Image.alpha_composite(ground, picture.convert("RGBA"))
    key = "originals/u/large.webp"
    watermark.put(key, data)
    request = watermark.request(sourceKey=key, outputKey="display/u/large.jpg", username="mira")
    [(status, _, answer)] = watermark.send(request)
    assert (status, answer["width"], answer["height"]) == (200, 2048, 1536)
    with Image.open(BytesIO(base64.b64decode(watermark.call(get="display/u/large.jpg")["base64"]))) as stored:
        assert np.abs(averages(stored) - averages(expected)).mean() < 3
    icon.put(key, data)
    [(status, _, _)] = icon.send(icon.request(sourceKey=key, outputKey="icons/u/large.jpg"))
    assert status == 200


@pytest.mark.parametrize("options", [{"quality": 80}, {"lossless": True}], ids=["lossy", "lossless"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_webp_is_rendered_as_by_pillow(watermark: Sibling, mode: str, options: dict[str, Any]) -> None:
    picture = scene(900, 700).convert(mode)
    if mode == "RGBA":
        picture.putalpha(Image.radial_gradient("L").resize(picture.size))
    data = encoded(picture, "WEBP", **options)
    key, output = "originals/u/a.webp", "display/u/a.jpg"
    watermark.put(key, data)
    [(status, _, _)] = watermark.send(watermark.request(sourceKey=key, outputKey=output, username="mira"))
    assert status == 200
    native = rendered(Variant.WATERMARK, data)
    with Image.open(BytesIO(base64.b64decode(watermark.call(get=output)["base64"]))) as stored:
        assert psnr(stored, seen(native)) >= 45


def test_a_picture_that_does_not_fit_after_all_is_too_large() -> None:
    """With less memory than the model counts on: not to be tried again, and nothing is wrong afterwards."""
    sibling = Sibling("icon", mebibytes=56)
    try:
        sibling.put("originals/u/large.gif", encoded(Image.linear_gradient("L").resize((6000, 4500)), "GIF"))
        sibling.put("originals/u/a.jpg", ORIGINAL)
        for _ in range(2):
            [(status, headers, answer)] = sibling.send(sibling.request(sourceKey="originals/u/large.gif"))
            assert (status, answer["code"]) == (413, "too_large")
            assert "more memory than a renderer has" in answer["error"]
            assert "retry-after" not in headers
            assert sibling.send(sibling.request())[0][0] == 200
    finally:
        sibling.stop()
