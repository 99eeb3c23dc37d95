"""What the gateway relies on R2, KV, rate limits and WebCrypto to do; contract.py says where it is used."""

from __future__ import annotations

import hashlib
import time
from base64 import urlsafe_b64decode

from tests.support.gallery.adapters import LIMIT, Adapters, refused, same

from gallery.ports import ListedObject

DIGITS = b"0123456789"
SIGNED = b"header.payload"
# Public keys made for this test, and their signatures of SIGNED.
RSA_MODULUS = (
    "8hjbq0ngE54_CMligTy7Dp_aynE7xgp84WJCvnGfaZjtd9T6hZBcXfay988tD48Z26eSutvhvBpc-u9vTd5AXeo_7WI8pa7DKYJ1"
    "n5gyfJNfelde_fBjaRC8kvxI5vmnW3WgQdr6z9kPe0YtqgGD9hugHD_fxWttKZo0FzFWAdWCKVUKGP91KPVk1r3EhnrGRs83zrrh"
    "p87qdEtd3Qry5eHM_Q1R5iEBvCDQcoxB2c3W--hiRq54joYrbHtmtSvVfk00DsRrsPguPptDuyj1NQENORQ28cJpQbRAfSHXBkup"
    "1ZPhdpXrwQPSm3rsf1kCDPlIbiDWf3guZKcwrfPJmQ"
)
RSA_SIGNATURE = (
    "cFs_EqR32lIxpM4ILbRnr5FornIlnBsRQCEyeFNVH9e7d3MbCVYCMu7oSG9rhPP_Ez4P4rdCSCEa965gVeU0YKPXYYrEa1sJ0n-K"
    "5dw_Q-R_pFXB_9r-X32fw1wrsWDln3jlZHyQIyOpqBTD0snCsGTeHhWcuD0IRKeMwF8Gj7oln8j3axjAmdONFIfVj1X6YwVh9-kV"
    "1V2BExU1ZkLS9IaiOtijUsiA8NjMqbqT6OHPJLh8WW1VshVfoXn71gBOVN2MEFa19x-RHN2St-thW0wutYy1ALh-Q1H0DnHLISR5"
    "JJMwQ63bPfuA_j4zgZ2emKode1UPKk1G65jv1YRBHQ"
)
SIGNATURES = {
    "EdDSA": (
        {"kty": "OKP", "crv": "Ed25519", "x": "EG6z_1Zi1wootb-6GtRxPTkhUbAjF-03CBMrA5UaTYM"},
        "sSs0WHULL-vWEuPMsOdHf257rpB9dxifyyx0hkVyCPzcPzixZUU6BfgehEAeezHkF91cw2B8UEJx5p6EgWluDg",
    ),
    "ES256": (
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "FnjUdNnlMIb_VUI5YAXmmOKCS3-omL4FlD0R-Eci0XY",
            "y": "ZGliOuWU8o7wrJ-iG0QCcYda3s9s8_qmsreSbPJJPgI",
        },
        "pJTaR_6QkHIH9LoxoSWP8L8W7GPa6xHiXasYGavr14RBcz6oDJRL-64fcfGCVhgahWNTDTDCgsYWzqYsCRp1JQ",
    ),
    "RS256": ({"kty": "RSA", "n": RSA_MODULUS, "e": "AQAB"}, RSA_SIGNATURE),
}


# The bucket


async def an_object_is_described_as_it_was_put(adapters: Adapters) -> None:
    await adapters.put("described/a.png", DIGITS, "image/png")
    info = await adapters.objects.head("described/a.png")
    assert info is not None
    same((info.key, info.size, info.content_type), ("described/a.png", 10, "image/png"))
    same(info.etag, hashlib.md5(DIGITS, usedforsecurity=False).hexdigest())
    same(info.sha256, hashlib.sha256(DIGITS).hexdigest())
    assert abs(info.uploaded - time.time()) < 30


async def an_upload_has_no_sha256_and_may_have_no_type(adapters: Adapters) -> None:
    await adapters.put("originals/plain", DIGITS, None)
    info = await adapters.objects.head("originals/plain")
    assert info is not None
    same((info.sha256, info.content_type), (None, ""))


async def an_object_that_is_put_again_is_another(adapters: Adapters) -> None:
    for data in (DIGITS, b"other"):
        await adapters.put("again", data, "image/png")
    same(await adapters.objects.read("again", 0, 10), b"other")
    info = await adapters.objects.head("again")
    assert info is not None
    same((info.size, info.etag), (5, hashlib.md5(b"other", usedforsecurity=False).hexdigest()))


async def a_missing_object_is_none(adapters: Adapters) -> None:
    same(await adapters.objects.head("absent"), None)
    same(await adapters.objects.open("absent"), None)
    same(await adapters.objects.open("absent", (5, 5)), None)
    same(await adapters.objects.read("absent", 0, 0), None)


async def an_object_is_opened_whole_or_in_part(adapters: Adapters) -> None:
    await adapters.put("opened", DIGITS, "image/png")
    for span, expected in ((None, DIGITS), ((2, 3), b"234"), ((8, 10), b"89"), ((9, 1), b"9")):
        body = await adapters.objects.open("opened", span)
        assert body is not None
        same(await adapters.bytes_of(body.stream), expected)
        same(body.info, await adapters.objects.head("opened"))


async def bytes_are_read_up_to_the_end(adapters: Adapters) -> None:
    await adapters.put("read", DIGITS, "image/png")
    for offset, length, expected in ((0, 10, DIGITS), (0, 3, b"012"), (8, 10, b"89")):
        found = await adapters.objects.read("read", offset, length)
        same((type(found), found), (bytes, expected))


async def a_range_outside_of_the_object_is_refused(adapters: Adapters) -> None:
    await adapters.put("ranged", DIGITS, "image/png")
    await adapters.put("empty", b"", "image/png")
    spans = (("ranged", 10, 1), ("ranged", 11, 1), ("ranged", 3, 0), ("empty", 0, 1), ("empty", 0, 0))
    for key, offset, length in (*spans, ("ranged", -1, 3), ("ranged", 0, -1)):
        await refused(adapters.objects.read(key, offset, length))
        await refused(adapters.objects.open(key, (offset, length)))
    body = await adapters.objects.open("empty")
    assert body is not None
    same(await adapters.bytes_of(body.stream), b"")


async def keys_are_listed_in_order_from_a_prefix_and_after_a_key(adapters: Adapters) -> None:
    names = ["listed/B", "listed/a", "listed/a/b", "listed/ab", "listed/b", "listed/é"]
    for key in (*reversed(names), "lister/a"):
        await adapters.put(key, DIGITS, "image/png")

    async def listing(prefix: str, after: str, limit: int) -> tuple[list[str], bool]:
        found, more = await adapters.objects.list(prefix, after, limit)
        return [each.key for each in found], more

    same(await listing("listed/", "", 1000), (names, False))
    same(await listing("listed/", "", 6), (names, False))
    same(await listing("listed/", "", 5), (names[:5], True))
    same(await listing("listed/", "listed/a", 2), (names[2:4], True))
    same(await listing("listed/", "listed/aa", 10), (names[3:], False))
    same(await listing("listed/", "b", 10), (names, False))
    same(await listing("listed/", "m", 10), ([], False))
    same(await listing("unlisted/", "", 10), ([], False))


async def a_listing_tells_size_etag_and_time(adapters: Adapters) -> None:
    await adapters.put("listing/a", DIGITS, "image/png")
    info = await adapters.objects.head("listing/a")
    assert info is not None
    expected = ListedObject(info.key, info.size, info.etag, info.uploaded)
    same(await adapters.objects.list("listing/", "", 1), ([expected], False))


async def a_listing_has_1_to_1000_keys(adapters: Adapters) -> None:
    for limit in (0, 1001):
        await refused(adapters.objects.list("listing/", "", limit))


async def deleting_ignores_what_is_not_there(adapters: Adapters) -> None:
    for key in ("deleted/a", "deleted/b"):
        await adapters.put(key, DIGITS, "image/png")
    await adapters.objects.delete(["deleted/a", "deleted/none", "deleted/a"])
    await adapters.objects.delete([])
    await adapters.objects.delete([f"deleted/{number}" for number in range(1000)])
    same([each.key for each in (await adapters.objects.list("deleted/", "", 9))[0]], ["deleted/b"])


async def a_key_has_at_most_1024_bytes(adapters: Adapters) -> None:
    same(await adapters.objects.head("k" * 1024), None)
    for key in ("k" * 1025, "é" * 513):
        await refused(adapters.objects.head(key))
        await refused(adapters.objects.open(key))
        await refused(adapters.objects.delete([key]))


# The flags


async def a_flag_is_read_until_it_is_deleted(adapters: Adapters) -> None:
    same(await adapters.flags.get("flag"), None)
    await adapters.flags.put("flag", "1", 60)
    same(await adapters.flags.get("flag"), "1")
    await adapters.flags.put("flag", "", 3600)
    same(await adapters.flags.get("flag"), "")
    await adapters.flags.delete("flag")
    await adapters.flags.delete("flag")
    same(await adapters.flags.get("flag"), None)


async def a_flag_lives_for_60_seconds_or_more(adapters: Adapters) -> None:
    for lifetime in (59, 0, -1):
        await refused(adapters.flags.put("brief", "1", lifetime), f"Invalid expiration_ttl of {lifetime}.")
    same(await adapters.flags.get("brief"), None)


async def a_flag_has_a_name_of_1_to_512_bytes(adapters: Adapters) -> None:
    await adapters.flags.put("n" * 512, "1", 60)
    for name in ("", ".", "..", "n" * 513, "é" * 257):
        await refused(adapters.flags.get(name))
        await refused(adapters.flags.put(name, "1", 60))
        await refused(adapters.flags.delete(name))


# The rate limit and the signatures


async def each_key_has_a_limit_of_its_own(adapters: Adapters) -> None:
    same([await adapters.limiter.allows("ada") for _ in range(LIMIT + 2)], [True] * LIMIT + [False] * 2)
    same([await adapters.limiter.allows(key) for key in ("bob", "", "ada")], [True, True, False])


async def a_signature_is_verified_with_its_key(adapters: Adapters) -> None:
    for algorithm, (key, text) in SIGNATURES.items():
        signature = urlsafe_b64decode(text + "==")
        changed = bytes([signature[0] ^ 1]) + signature[1:]
        same(await adapters.verify(key, algorithm, signature, SIGNED), True)
        same(await adapters.verify(key, algorithm, signature, SIGNED + b"."), False)
        same(await adapters.verify(key, algorithm, changed, SIGNED), False)
        for wrong in (signature[:-1], b""):
            same(await adapters.verify(key, algorithm, wrong, SIGNED), False)


async def a_key_of_another_kind_is_refused(adapters: Adapters) -> None:
    for algorithm, other in (("EdDSA", "ES256"), ("ES256", "RS256"), ("RS256", "EdDSA")):
        await refused(adapters.verify(SIGNATURES[other][0], algorithm, b"", SIGNED))
    for algorithm, (key, _) in SIGNATURES.items():
        partial = {name: part for name, part in key.items() if name not in ("x", "n")}
        await refused(adapters.verify(partial, algorithm, b"", SIGNED))
