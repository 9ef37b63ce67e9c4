"""Who gets what from each endpoint, where a login is asked for.

A new endpoint needs a row, and a new method of an old one does, too. In a path, `<waiting>`,
`<done>` and `<failed>` stand for the pid of a report of alice's in that state, `<coming>` for the
id of an upload of hers, `<missing>` for one that there is not; `<told>` for one whose event
`<delivery_id>` was delivered; `<webhook_id>` is alice's, `<token>` the id of a token of hers.
`none` sends no token, `bad` one that nobody ever had, `expired` one of alice's that has expired,
`other` is bob, `owner` alice, and `admin` a superuser.
"""

import re
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLResolver, get_resolver
from knox.models import AuthToken

from bmat.api.models import Callback, Delivery
from bmat.api.services.outbox import create_webhook
from bmat.api.services.process import process_report
from bmat.api.services.tokens import id_of
from bmat.api.services.uploads.creation import Announced, create
from bmat.api.tests.fixtures import PLAYS
from bmat.api.tests.people import PASSWORD, person, token_of
from bmat.api.tus import MEDIA_TYPE
from bmat.api.views.results import VisibleReports

# A worker closes its old connections, which would end the transaction that a test runs in.
pytestmark = pytest.mark.django_db(transaction=True)

CALLERS = ["none", "bad", "expired", "other", "owner", "admin"]
MATRIX = """
    POST    /api/auth/login                  200  200  200  200  200  200
    POST    /api/auth/logout                 401  401  401  204  204  204
    POST    /api/auth/logoutall              401  401  401  204  204  204

    GET     /api/tokens                      401  401  401  200  200  200
    POST    /api/tokens                      401  401  401  201  201  201
    DELETE  /api/tokens/<token>              401  401  401  404  204  404

    GET     /api/reports                     401  401  401  200  200  200
    POST    /api/reports                     401  401  401  201  201  201
    GET     /api/reports/<waiting>           401  401  401  404  200  200
    GET     /api/reports/<done>              401  401  401  404  200  200
    GET     /api/reports/<missing>           401  401  401  404  404  404
    DELETE  /api/reports/<waiting>           401  401  401  404  204  204
    DELETE  /api/reports/<done>              401  401  401  404  204  204
    DELETE  /api/reports/<missing>           401  401  401  404  404  404
    POST    /api/reports/<waiting>/cancel    401  401  401  404  200  200
    POST    /api/reports/<done>/cancel       401  401  401  404  409  409
    POST    /api/reports/<missing>/cancel    401  401  401  404  404  404
    POST    /api/reports/<failed>/retry      401  401  401  404  202  202
    POST    /api/reports/<done>/retry        401  401  401  404  409  409
    POST    /api/reports/<missing>/retry     401  401  401  404  404  404
    GET     /api/reports/<done>/inspect      401  401  401  404  200  200
    GET     /api/reports/<missing>/inspect   401  401  401  404  404  404
    GET     /api/reports/<done>/output       401  401  401  404  200  200
    GET     /api/reports/<waiting>/output    401  401  401  404  409  409
    GET     /api/reports/<missing>/output    401  401  401  404  404  404
    GET     /api/reports/<done>/rejects      401  401  401  404  200  200
    GET     /api/reports/<waiting>/rejects   401  401  401  404  409  409
    GET     /api/reports/<missing>/rejects   401  401  401  404  404  404
    GET     /api/reports/<done>/rows         401  401  401  404  200  200
    GET     /api/reports/<waiting>/rows      401  401  401  404  409  409
    GET     /api/reports/<missing>/rows      401  401  401  404  404  404
    GET     /api/reports/<done>/summary      401  401  401  404  200  200
    GET     /api/reports/<waiting>/summary   401  401  401  404  409  409
    GET     /api/reports/<missing>/summary   401  401  401  404  404  404
    GET     /api/reports/<done>/compare      401  401  401  404  200  200
    GET     /api/reports/<waiting>/compare   401  401  401  404  409  409
    GET     /api/reports/<missing>/compare   401  401  401  404  404  404

    GET     /api/reports/<done>/deliveries   401  401  401  404  200  200
    GET     /api/reports/<missing>/deliveries                         401  401  401  404  404  404
    POST    /api/reports/<told>/deliveries/<delivery_id>/resend       401  401  401  404  202  202
    POST    /api/reports/<done>/deliveries/<delivery_id>/resend       401  401  401  404  404  404
    POST    /api/reports/<missing>/deliveries/<delivery_id>/resend    401  401  401  404  404  404

    GET     /api/webhooks                    401  401  401  200  200  200
    POST    /api/webhooks                    401  401  401  201  201  201
    GET     /api/webhooks/<webhook_id>       401  401  401  404  200  404
    DELETE  /api/webhooks/<webhook_id>       401  401  401  404  204  404

    POST    /api/inspect                     401  401  401  200  200  200

    POST    /api/uploads                     401  401  401  201  201  201
    PATCH   /api/uploads/<coming>            401  401  401  404  204  204
    PATCH   /api/uploads/<missing>           401  401  401  404  404  404
    DELETE  /api/uploads/<coming>            401  401  401  404  204  204
    DELETE  /api/uploads/<missing>           401  401  401  404  404  404

    GET     /api/schema                      200  200  200  200  200  200
    GET     /api/docs                        200  200  200  200  200  200
"""
ROWS = [line.split() for line in MATRIX.splitlines() if line.strip()]
FILES = {"done": PLAYS + b"Umbrella,2020-01-32,1\n", "failed": b""}


@pytest.fixture(autouse=True)
def require_auth(settings):
    settings.BMAT_REQUIRE_AUTH = True


@pytest.fixture
def pid_of(submit):
    """The pid of a fresh report of alice's in a state."""

    def made(state):
        if state == "missing":
            return uuid4()
        if state == "token":
            return id_of(AuthToken.objects.create(person("alice"))[0])
        if state == "coming":
            return create(Announced(10), person("alice"), None)[0].pk
        report = submit(FILES.get(state, PLAYS), owner=person("alice"))
        if state == "told":
            Callback.objects.create(report=report, url="https://receiver.example/events")
        if state in (*FILES, "told"):
            process_report(report.pid, uuid4())
        return report.pid

    return made


def header(caller):
    """What says who the caller is."""
    made = {
        "none": lambda: {},
        "bad": lambda: {"Authorization": "Token " + "0" * 64},
        "expired": lambda: token_of(person("alice"), valid_days=-1),
        "other": lambda: token_of(person("bob")),
        "owner": lambda: token_of(person("alice")),
        "admin": lambda: token_of(person("root")),
    }
    return made[caller]()


def address(path, pid_of):
    """The URL of a path: each name in it stands for something fresh."""
    url = re.sub(
        "<(waiting|done|failed|missing|told|coming|token)>", lambda name: str(pid_of(name[1])), path
    )
    delivery = Delivery.objects.order_by("-created").first()
    url = url.replace("<delivery_id>", str(delivery.pk if delivery else uuid4()))
    if "<webhook_id>" in url:
        webhook = create_webhook(person("alice"), "https://receiver.example/events")
        url = url.replace("<webhook_id>", str(webhook.pk))
    return url


def body(method, path):
    """What the request carries, where the endpoint wants something."""
    if (method, path) in (("POST", "/api/reports"), ("POST", "/api/inspect")):
        return {"data": {"input_file": SimpleUploadedFile("plays.csv", PLAYS)}}
    if (method, path) == ("POST", "/api/tokens"):
        return {"data": {"name": "a script"}, "content_type": "application/json"}
    if path == "/api/auth/login":
        login = {"username": person("alice").username, "password": PASSWORD}
        return {"data": login, "content_type": "application/json"}
    if path.startswith("/api/uploads"):
        said = {"Upload-Length": "10", "Upload-Offset": "0", "Tus-Resumable": "1.0.0"}
        sent = {"data": b"x"} if method == "PATCH" else {}
        return {"headers": said, "content_type": MEDIA_TYPE, **sent}
    if (method, path) == ("POST", "/api/webhooks"):
        told = {"url": "https://receiver.example/events"}
        return {"data": told, "content_type": "application/json"}
    if path.endswith("/compare"):
        return {"data": {"with": path.split("/")[-2]}}
    return {}


@pytest.mark.parametrize("method, path, codes", [(row[0], row[1], row[2:]) for row in ROWS])
@pytest.mark.parametrize("slash", ["", "/"])
def test_each_caller_gets_what_the_matrix_says(client, pid_of, method, path, codes, slash):
    answers = []
    for caller in CALLERS:
        url = address(path, pid_of) + slash
        send = getattr(client, method.lower())
        carried = body(method, url.removesuffix("/"))
        headers = {**header(caller), **carried.pop("headers", {})}
        answers.append(send(url, headers=headers, **carried))
        # A download holds its file open until then.
        answers[-1].close()

    assert [str(answer.status_code) for answer in answers] == codes
    challenges = {answer.get("WWW-Authenticate") for answer in answers if answer.status_code == 401}
    assert challenges <= {"Token"}


@pytest.mark.parametrize("path", sorted({row[1] for row in ROWS if "<done>" in row[1]}))
def test_the_404_for_somebody_else_is_that_for_nothing_at_all(client, pid_of, path):
    method = next(row[0] for row in ROWS if row[1] == path)
    bob, send = token_of(person("bob")), getattr(client, method.lower())

    path = path.replace("<delivery_id>", str(uuid4()))
    foreign = send(path.replace("<done>", str(pid_of("done"))), headers=bob)
    missing = send(path.replace("<done>", str(uuid4())), headers=bob)

    assert foreign.status_code == missing.status_code == 404
    assert foreign.json() == missing.json()
    assert set(foreign.headers) == set(missing.headers)


def test_there_is_a_row_for_each_method_of_each_url():
    rows = {(row[0], re.sub("<.*?>", "<id>", row[1])) for row in ROWS}

    assert {("GET", "/api/reports"), ("POST", "/api/auth/login")} <= rows
    assert {
        (method, re.sub("<.*?>", "<id>", path))
        for path, callback in endpoints()
        for method in methods(callback)
    } == rows


def test_every_view_of_a_report_finds_it_in_the_same_place():
    views = {callback.cls for path, callback in endpoints() if "<pid>" in path}

    assert len(views) >= 2
    assert [view for view in views if not issubclass(view, VisibleReports)] == []
    assert {view.get_queryset for view in views} == {VisibleReports.get_queryset}


def endpoints():
    """Each path of the API, as people write it, and what answers it."""
    for route, callback in routes(get_resolver()):
        if route.startswith("api/"):
            named = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", route)
            yield "/" + named.replace("^", "").removesuffix("$").removesuffix("/?"), callback


def routes(resolver, prefix=""):
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, path)
        else:
            yield path, pattern.callback


def methods(callback):
    """The methods that an endpoint answers, but those that tell about it alone."""
    view, actions = getattr(callback, "cls", None), getattr(callback, "actions", None)
    if view is None:
        # A page that a plain function makes.
        return {"GET"}
    names = actions or [name for name in view.http_method_names if hasattr(view, name)]
    return {name.upper() for name in names} - {"HEAD", "OPTIONS"}
