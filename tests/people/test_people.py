"""Accounts, handles, organisations, tokens, one-time links: the rules and the pages."""

import contextlib
import datetime as dt
import io
import json
import threading
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from commons.errors import CityError
from commons.people import authentication, policies, queries, services, tokens
from commons.people.errors import HandleNotAllowed, HandleTaken, LastOwner, NoScope, NotYourOrganisation, UnknownScope
from commons.people.models import ApiToken, Handle, Membership, Organisation, SignInLink, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    return services.create_user(username="anna", name="Anna", password="a long enough one")


@pytest.fixture
def guild(anna: User) -> Organisation:
    return services.create_organisation(handle="guild", name="Guild", kind="association", founder=anna)


def signed_in(user: User, **how: Any) -> Client:
    client = Client(**how)
    client.force_login(user)
    return client


# --- names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["admin", "me", "ADMIN", "new", "-a", "a-", "a--b", "a b", "ä", "a" * 40, "", "a/b", "a.b"]
)
def test_names_that_an_address_cannot_hold(name: str) -> None:
    with pytest.raises(HandleNotAllowed):
        services.create_user(username=name)
    assert not User.objects.exists() and not Handle.objects.exists()


def test_people_and_organisations_share_the_names_whatever_their_case(anna: User) -> None:
    for name in ("anna", "Anna", "ANNA"):
        with pytest.raises(HandleTaken):
            services.create_organisation(handle=name, name="x", kind="lab")
        with pytest.raises(HandleTaken):
            services.create_user(username=name)
    assert Organisation.objects.count() == 0
    assert services.create_user(username="BORIS").username == "boris"


@pytest.mark.django_db(transaction=True)
def test_of_many_who_want_a_name_one_gets_it_and_the_others_hear_why() -> None:
    heard: list[str] = []
    gate = threading.Barrier(8)

    def claim(n: int) -> None:
        gate.wait()
        try:
            if n % 2:
                services.create_user(username="wanted")
            else:
                services.create_organisation(handle="wanted", name="Wanted", kind="lab")
            heard.append("mine")
        except CityError as refusal:
            heard.append(refusal.code)
        except Exception as fault:
            heard.append(type(fault).__name__)
        connection.close()

    threads = [threading.Thread(target=claim, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(heard) == ["mine"] + ["people:handle-taken"] * 7
    assert Handle.objects.count() == 1
    assert User.objects.count() + Organisation.objects.count() == 1


def test_an_address_in_capitals_leads_to_the_right_one(client: Client, anna: User) -> None:
    response = client.get("/people/Anna/")
    assert (response.status_code, response["Location"]) == (301, "/people/anna/")
    assert client.get("/people/nobody/").status_code == 404


def test_one_may_sign_in_with_the_name_in_any_case(anna: User) -> None:
    for name in ("anna", "ANNA"):
        client = Client()
        client.post("/account/login/", {"login": name, "password": "a long enough one"})
        assert client.get("/me/").status_code == 200, name


def test_signing_up_claims_the_handle_and_a_taken_one_is_a_field_error(client: Client) -> None:
    form = {"email": "eva@example.org", "username": "Eva", "password1": "quite-a-long-secret"}
    assert client.post("/account/signup/", form).status_code == 302
    assert Handle.objects.get(name="eva").user == User.objects.get(username="eva")
    for name in ("eva", "admin"):
        again = Client().post("/account/signup/", form | {"username": name, "email": f"{name}@example.net"})
        assert again.status_code == 200
        assert User.objects.count() == 1


# --- tokens ------------------------------------------------------------------------------------------------------


def test_a_token_is_kept_as_a_hash_and_known_by_its_secret(anna: User) -> None:
    token, secret = services.create_token(user=anna, name="script", scopes=["designs:read", "designs:read"])
    assert secret.startswith("lcu_") and tokens.looks_right(secret, "lcu")
    kept = json.dumps(list(ApiToken.objects.values("name", "prefix", "scopes")))
    assert secret not in kept and secret[10:] not in kept
    assert token.scopes == ["designs:read"]
    found = authentication.person_of(secret)
    assert found is not None and found[0] == anna
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    assert authentication.person_of(wrong) is None
    assert authentication.person_of("lcd_" + secret[4:]) is None


def test_a_token_ends_when_it_should(anna: User) -> None:
    soon = timezone.now() + dt.timedelta(seconds=30)
    token, secret = services.create_token(user=anna, name="t", scopes=["admin"], expires_at=soon)
    assert authentication.person_of(secret) is not None
    ApiToken.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert authentication.person_of(secret) is None
    ApiToken.objects.update(expires_at=None)
    services.revoke_token(token=token)
    assert authentication.person_of(secret) is None


def test_scopes_must_be_known_and_at_least_one(anna: User) -> None:
    with pytest.raises(UnknownScope, match="designs:eat"):
        services.create_token(user=anna, name="t", scopes=["designs:eat"])
    with pytest.raises(NoScope):
        services.create_token(user=anna, name="t", scopes=[])
    assert not ApiToken.objects.exists()


def test_the_page_shows_a_secret_once_and_lets_it_be_revoked(anna: User) -> None:
    client = signed_in(anna)
    made = client.post("/me/tokens/new/", {"name": "laptop", "scopes": ["designs:write"], "days": "30"})
    assert made.status_code == 201
    assert "no-store" in made["Cache-Control"]
    token = ApiToken.objects.get()
    secret = next(w for w in made.content.decode().replace("<", " ").replace(">", " ").split() if w.startswith("lcu_"))
    assert bytes(token.sha256) == tokens.fingerprint(secret)
    assert token.expires_at is not None and 29 < (token.expires_at - timezone.now()).days + 1 <= 30
    page = client.get("/me/").content.decode()
    assert "laptop" in page and secret not in page and token.prefix in page
    other = signed_in(services.create_user(username="boris"))
    assert other.post(f"/me/tokens/{token.pk}/revoke/").status_code == 404
    assert client.get(f"/me/tokens/{token.pk}/revoke/").status_code == 405
    assert client.post(f"/me/tokens/{token.pk}/revoke/").status_code == 302
    assert authentication.person_of(secret) is None


@pytest.mark.parametrize(
    "data", [{}, {"name": "x"}, {"name": "x", "scopes": ["admin"]}, {"name": "x", "scopes": ["no"]}]
)
def test_a_bad_token_form_makes_nothing(anna: User, data: dict[str, Any]) -> None:
    assert signed_in(anna).post("/me/tokens/new/", data).status_code == 422
    assert not ApiToken.objects.exists()


# --- one-time links ----------------------------------------------------------------------------------------------


def test_looking_at_a_link_does_not_use_it_up_and_using_it_does(anna: User) -> None:
    secret = services.create_sign_in_link(user=anna)
    scanner, person = Client(), Client()
    for _ in range(3):
        assert scanner.get(f"/sign-in/{secret}/").status_code == 200
        assert scanner.head(f"/sign-in/{secret}/").status_code == 200
    assert scanner.get("/me/").status_code == 302
    assert person.post(f"/sign-in/{secret}/").status_code == 302
    assert person.get("/me/").status_code == 200
    for method in ("get", "post"):
        gone = getattr(Client(), method)(f"/sign-in/{secret}/")
        assert gone.status_code == 410
    assert secret.encode() not in bytes(SignInLink.objects.get().sha256)


def test_a_link_of_yesterday_or_of_nobody_signs_nobody_in(anna: User) -> None:
    secret = services.create_sign_in_link(user=anna)
    SignInLink.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert Client().post(f"/sign-in/{secret}/").status_code == 410
    assert Client().post("/sign-in/lcs_nonsense/").status_code == 410
    secret = services.create_sign_in_link(user=anna)
    User.objects.update(is_active=False)
    assert Client().post(f"/sign-in/{secret}/").status_code == 410


def test_a_link_needs_the_form_of_our_own_page(anna: User) -> None:
    secret = services.create_sign_in_link(user=anna)
    assert Client(enforce_csrf_checks=True).post(f"/sign-in/{secret}/").status_code == 403
    assert SignInLink.objects.get().used_at is None


@pytest.mark.django_db(transaction=True)
def test_a_link_used_by_two_at_once_signs_one_in() -> None:
    secret = services.create_sign_in_link(user=services.create_user(username="twice"))
    gate, won = threading.Barrier(6), []

    def use() -> None:
        gate.wait()
        if services.use_sign_in_link(secret=secret):
            won.append(1)
        connection.close()

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


# --- organisations -----------------------------------------------------------------------------------------------


def test_who_may_change_an_organisations_people(anna: User, guild: Organisation) -> None:
    manager, member, stranger = (services.create_user(username=n) for n in ("manny", "mem", "stran"))
    services.set_role(organisation=guild, user=manager, role="manager")
    services.set_role(organisation=guild, user=member, role="member")
    assert [policies.may_manage(u, guild) for u in (anna, manager, member, stranger)] == [True, True, False, False]
    policies.check_may_give(manager, guild, "trainer")
    with pytest.raises(NotYourOrganisation):
        policies.check_may_give(manager, guild, "owner")
    for user, status in ((member, 403), (stranger, 403), (manager, 302)):
        answer = signed_in(user).post("/people/guild/members/", {"person": "stran", "role": "trainer"})
        assert answer.status_code == status
    assert queries.role_in(stranger, guild) == "trainer"
    assert signed_in(manager).post("/people/guild/members/", {"person": "manny", "role": "owner"}).status_code == 403
    assert signed_in(manager).post("/people/guild/members/anna/remove/").status_code == 403
    assert signed_in(member).post("/people/guild/members/mem/remove/").status_code == 302
    assert queries.role_in(member, guild) is None


def test_an_organisation_keeps_an_owner(anna: User, guild: Organisation) -> None:
    with pytest.raises(LastOwner):
        services.set_role(organisation=guild, user=anna, role="member")
    with pytest.raises(LastOwner):
        services.remove_member(organisation=guild, user=anna)
    boris = services.create_user(username="boris")
    services.set_role(organisation=guild, user=boris, role="owner")
    services.remove_member(organisation=guild, user=anna)
    assert list(Membership.objects.values_list("user__username", "role")) == [("boris", "owner")]


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_do_not_leave_it_alone() -> None:
    owners = [services.create_user(username=n) for n in ("left", "right")]
    guild = services.create_organisation(handle="pair", name="Pair", kind="lab", founder=owners[0])
    services.set_role(organisation=guild, user=owners[1], role="owner")
    gate = threading.Barrier(2)

    def leave(user: User) -> None:
        gate.wait()
        with contextlib.suppress(LastOwner):
            services.remove_member(organisation=guild, user=user)
        connection.close()

    threads = [threading.Thread(target=leave, args=(user,)) for user in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Membership.objects.filter(organisation=guild, role="owner").count() == 1


def test_founding_over_the_page(anna: User) -> None:
    client = signed_in(anna)
    form = {"name": "Kamppi lab", "handle": "Kamppi-Lab", "kind": "lab", "about": "We make <things>."}
    assert client.post("/organisations/new/", form)["Location"] == "/people/kamppi-lab/"
    taken = client.post("/organisations/new/", form)
    assert taken.status_code == 422 and "is taken" in taken.content.decode()
    page = Client().get("/people/kamppi-lab/").content.decode()
    assert "Kamppi lab" in page and "Anna" in page and "We make &lt;things&gt;." in page
    assert "/members/" not in page, "a visitor is offered nothing they may not do"


def test_the_public_page_of_a_person_shows_no_address(client: Client, anna: User) -> None:
    User.objects.update(email="anna@example.org")
    page = client.get("/people/anna/").content.decode()
    assert "Anna" in page and "example.org" not in page


# --- commands ----------------------------------------------------------------------------------------------------


def command(*words: str) -> tuple[dict[str, Any], str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(*words, "--json", stdout=out, stderr=err)
    return json.loads(out.getvalue()), err.getvalue()


def test_create_user_prints_a_link_that_works() -> None:
    made, _err = command("create_user", "Dora", "--staff", "--password", "long enough secret")
    assert made["name"] == "dora"
    path = "/sign-in/" + made["sign_in_link"].partition("/sign-in/")[2]
    assert Client().post(path).status_code == 302
    dora = User.objects.get(username="dora")
    assert dora.is_staff and dora.check_password("long enough secret")


def test_create_token_prints_a_token_that_works(anna: User) -> None:
    made, _err = command("create_token", "ANNA", "--scope", "designs:read", "--scope", "energy:manage", "--days", "1")
    answer = Client().get("/api/v1/people/me/", headers={"authorization": f"Bearer {made['token']}"})
    assert (answer.json()["name"], answer.json()["scopes"]) == ("anna", ["designs:read", "energy:manage"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("create_user", "anna"), "taken"),
        (("create_user", "admin"), "kept for the site"),
        (("create_token", "nobody", "--scope", "admin"), "no account called"),
        (("create_token", "anna", "--scope", "x:y"), "is not a scope"),
    ],
)
def test_a_refused_command_says_why_and_changes_nothing(anna: User, words: tuple[str, ...], says: str) -> None:
    with pytest.raises(CommandError, match=says) as refused:
        command(*words)
    assert refused.value.returncode == 1
    assert User.objects.count() == 1 and not ApiToken.objects.exists()


def test_commands_on_the_command_line_keep_to_the_contract(manage: Any) -> None:
    made = manage("create_user", "carla", "--json")
    assert made.returncode == 0, made.stderr
    assert set(json.loads(made.stdout)) == {"name", "staff", "sign_in_link"}
    again = manage("create_user", "carla", "--json")
    assert (again.returncode, again.stdout) == (1, "")
    assert "“carla” is taken" in again.stderr and "Traceback" not in again.stderr
    wrong = manage("create_token", "carla", "--json")
    assert (wrong.returncode, wrong.stdout) == (2, "")
