"""`GET /healthz`."""

import pytest
from django.db import OperationalError


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/healthz/"])
def test_it_works(client, path):
    response = client.get(path)

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert "no-store" in response["Cache-Control"]


def test_it_says_that_the_database_is_away(client, monkeypatch):
    def fail():
        raise OperationalError("password of the internal server refused")

    monkeypatch.setattr("bmat.api.views.service.connection.cursor", fail)

    response = client.get("/healthz")

    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "database": "unreachable"}


def test_it_refuses_another_method(client):
    assert client.post("/healthz").status_code == 405
