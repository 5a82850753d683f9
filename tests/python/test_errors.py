"""The hierarchy of errors: codes, builtin bases, data, pickles."""

import builtins
import inspect
import pickle

import pytest
import sprongus
from sprongus import errors

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, sprongus.SprongusError)]
CODES = (
    "invalid_argument misuse not_found validation reserved_field conflict invalid_state lease_lost referenced "
    "secret_detected too_large permission_denied rate_limited busy timeout unavailable outcome_unknown storage "
    "storage_full split_brain corrupt schema_version unsupported forked panic"
).split()
BASES = {
    "invalid_argument": ValueError,
    "misuse": RuntimeError,
    "not_found": LookupError,
    "validation": ValueError,
    "too_large": ValueError,
    "permission_denied": PermissionError,
    "timeout": builtins.TimeoutError,
    "unavailable": ConnectionError,
    "forked": sprongus.MisuseError,
    "referenced": sprongus.ConflictError,
    "split_brain": sprongus.StorageError,
}


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_class(code):
    details = {"errors": [{"path": "/a"}], "referrers": [{"id": "x"}]}
    error = errors._of(code, "what was wrong", details, True)
    assert (error.code, error.message, error.details, error.retryable) == (code, "what was wrong", details, True)
    assert str(error) == "what was wrong"
    assert isinstance(error, BASES.get(code, sprongus.SprongusError))
    error.add_note("said later")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))
        assert type(again) is type(error)
        assert again.__dict__ == error.__dict__
        assert again.args == error.args
        assert str(again) == str(error)


def test_no_class_without_a_code_and_all_exported():
    assert {kind._code for kind in CLASSES if kind is not sprongus.SprongusError} == set(CODES)
    assert set(errors.__all__) == {kind.__name__ for kind in CLASSES}
    for kind in CLASSES:
        assert getattr(sprongus, kind.__name__) is kind


def test_made_by_hand():
    assert sprongus.BusyError("x").retryable
    assert not sprongus.ConflictError("x").retryable
    assert sprongus.ValidationError("x").errors == []
    assert sprongus.ReferencedError("x", details={"referrers": [1]}).referrers == [1]
    with pytest.raises(OSError):
        raise sprongus.TimeoutError("late")


def test_violations_are_data(store):
    with pytest.raises(sprongus.ValidationError) as raised:
        store.aux("p", "storyboard").create({"assetIds": [1], "citationIds": 2})
    again = pickle.loads(pickle.dumps(raised.value))
    assert again.errors == raised.value.errors
    assert len(again.errors) == 2
    assert set(again.errors[0]) >= {"path", "keyword", "message"}
