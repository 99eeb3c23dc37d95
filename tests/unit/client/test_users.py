"""`vfa user` through the operators' API."""

from __future__ import annotations

from click.testing import CliRunner
from tests.support.client.contract import TOKEN, Contract
from tests.support.client.shell import Shell

from vfa_gallery import Gallery
from vfa_gallery.command.users import gallery_users_options, user_commands


def test_users_of_a_gallery_are_managed_through_its_api(shell: Shell, contract: Contract) -> None:
    user_id = shell("user", "add", "ann", "--limit", "3").stdout.strip()
    assert contract.users[user_id]["artworkLimit"] == 3
    again = shell("user", "add", "ann", "--limit", "4")
    assert (again.stdout.strip(), again.stderr) == (user_id, "ann was there already; the limit is 4 now\n")
    assert shell("user", "add", "ann").stderr == "ann was there already, limit 4\n"
    for words in (["rename", "ann", "anna"], ["suspend", "anna"], ["revoke", "anna"]):
        assert shell("user", *words).exit_code == 0
    user = contract.users[user_id]
    assert (user["username"], user["status"]) == ("anna", "suspended")
    assert user["tokensValidAfter"] is not None
    assert shell("user", "activate", "anna").exit_code == 0
    assert shell.json("user", "list") == [contract.users[user_id]]
    assert "anna" in shell("user", "list").stdout
    shell("user", "add", "bob")
    taken = shell("user", "rename", "bob", "anna")
    assert (taken.exit_code, taken.stderr) == (1, "error: This username is taken. (request req-1)\n")
    assert shell("user", "suspend", "nobody").stderr.startswith("error: there is no user nobody")


def test_all_pages_of_users_are_listed(contract: Contract, gallery: Gallery) -> None:
    names = [f"artist-{number}" for number in range(7)]
    for name in names:
        gallery.add_user(name)
    assert [each.username for each in gallery.users(page_size=3)] == names
    assert len(contract.calls("GET /api/users.*")) == 3


def test_without_a_plug_in_users_are_those_of_a_gallery(shell: Shell, contract: Contract) -> None:
    user = user_commands(gallery_users_options)
    words = {"VFA_URL": contract.url, "VFA_TOKEN": TOKEN}
    assert CliRunner().invoke(user, ["add", "ann"], env=words).exit_code == 0
    assert shell("user", "list", "--json").stdout.count('"ann"') == 1
    refused = CliRunner().invoke(user, ["list"], env=words | {"VFA_TOKEN": ""}, standalone_mode=False)
    assert "needs an operator's token; set VFA_TOKEN" in str(refused.exception)
