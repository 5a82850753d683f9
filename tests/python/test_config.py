"""Config: small settings of the store and of its projects."""

import datetime as dt

import pytest
import sprongus


def test_settings_are_set_and_unset(face):
    config = face.config
    assert config.get("active.project") is None
    assert config.get("active.project", "none") == "none"
    assert config.set("active.project", "p1") is None
    assert config.get("active.project", "none") == "p1"
    for value in ({"a": [1, 2.5, None]}, None, False, 2**64 - 1, "", [], dt.date(2024, 2, 29)):
        config.set("k", value)
        assert config.get("k", "missing") == (value.isoformat() if isinstance(value, dt.date) else value)
    config.unset("k")
    config.unset("k")
    assert config.get("k", 7) == 7


def test_a_default_is_given_back_as_it_is(store):
    default = object()
    assert store.config.get("k", default) is default
    assert store.config.get("k", default=default) is default


def test_a_project_has_its_own(face):
    face.config.set("theme", "dark")
    face.config.set("theme", "light", project="p1")
    face.config.set("theme.font", 12, project="p1")
    face.config.set("other", 1, project="p1")
    assert face.config.get("theme") == "dark"
    assert face.config.get("theme", project="p1") == "light"
    assert face.config.get("theme", "none", project="p2") == "none"
    assert face.config.list() == {"theme": "dark"}
    assert face.config.list(project="p1") == {"other": 1, "theme": "light", "theme.font": 12}
    assert list(face.config.list(prefix="theme", project="p1").items()) == [("theme", "light"), ("theme.font", 12)]
    assert face.config.list(prefix="none") == {}
    face.config.unset("theme", project="p1")
    assert (face.config.get("theme"), face.config.get("theme", project="p1")) == ("dark", None)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda c: c.set("", 1), sprongus.InvalidArgumentError),
        (lambda c: c.set("Theme", 1), sprongus.InvalidArgumentError),
        (lambda c: c.set("a b", 1), sprongus.InvalidArgumentError),
        (lambda c: c.set("a\n", 1), sprongus.InvalidArgumentError),
        (lambda c: c.set("a" * 10_000, 1), sprongus.InvalidArgumentError),
        (lambda c: c.set("k", object()), sprongus.ValidationError),
        (lambda c: c.set("k", float("nan")), sprongus.ValidationError),
        (lambda c: c.set("k", b"x"), sprongus.ValidationError),
        (lambda c: c.set("k", "x" * (2 << 20)), sprongus.TooLargeError),
        (lambda c: c.set(1, 1), TypeError),
        (lambda c: c.set("k"), TypeError),
        (lambda c: c.set("k", 1, project=""), sprongus.InvalidArgumentError),
        (lambda c: c.get("K"), sprongus.InvalidArgumentError),
        (lambda c: c.unset("K"), sprongus.InvalidArgumentError),
        (lambda c: c.get("\ud800"), sprongus.InvalidArgumentError),
    ],
)
def test_bad_settings(store, call, error):
    with pytest.raises(error):
        call(store.config)
    assert store.config.list() == {}


def test_a_transaction_keeps_them_or_not(store):
    with store.transaction() as tx:
        tx.config.set("kept", 1)
        assert tx.config.get("kept") == 1
    with pytest.raises(ZeroDivisionError), store.transaction() as tx:
        tx.config.set("lost", 1)
        raise ZeroDivisionError
    assert store.config.list() == {"kept": 1}


def test_scopes_wall_them_off(store):
    store.config.set("theme", "dark")
    store.config.set("theme", "light", project="q")
    scoped = store.scoped("p")
    scoped.config.set("theme", "own")
    assert (scoped.config.get("theme"), store.config.get("theme", project="p")) == ("own", "own")
    assert scoped.config.list() == {"theme": "own"}
    with pytest.raises(sprongus.PermissionDeniedError):
        scoped.config.get("theme", project="q")
    assert store.config.get("theme") == "dark"
