"""The doctor from Python: the same findings, as a record that prints and shows as a table."""

import pickle

import pytest
import sprongus


def of_the_store(report):
    """What a test machine is like is not the store's."""
    machine = {"disk_nearly_full", "few_connections_left", "old_transaction", "idle_in_transaction", "not_looked_at"}
    return [one for one in report.findings if one["code"] not in machine]


def test_a_store_that_is_well(place):
    with place.open() as store:
        for deep in (False, True):
            assert of_the_store(store.doctor(deep=deep)) == []


def test_findings_print_and_show_as_a_table(place):
    with place.open() as store:
        store.execute("DROP INDEX sprongus_aux_refs_to")
        report = store.doctor()
        (found,) = of_the_store(report)
        assert (found["code"], found["severity"], report.ok) == ("missing_index", "warning", False)
        text = str(report)
        assert f"warning missing_index: {found['message']}\n  fix: CREATE INDEX sprongus_aux_refs_to ON" in text
        assert repr(report).startswith("Report(ok=False, findings=")
        table = report._repr_html_()
        assert "<th>fix</th>" in table and "CREATE INDEX sprongus_aux_refs_to" in table
        assert pickle.loads(pickle.dumps(report)) == report
        # The fix is what it says.
        store.execute(found["fix"])
        assert of_the_store(store.doctor()) == []


def test_what_is_shown_of_a_table_is_no_html(place):
    with place.open() as store:
        store.execute('CREATE TABLE "sprongus_<b>" (a TEXT)')
        (found,) = of_the_store(store.doctor())
        assert found["code"] == "schema_extra"
        html = store.doctor()._repr_html_()
        assert "sprongus_&lt;b&gt;" in html and "<b>" not in html
        store.execute(found["fix"].partition(": ")[2])
        assert of_the_store(store.doctor()) == []


def test_nothing_found_says_so(tmp_path):
    with sprongus.open(":memory:") as store:
        report = store.doctor()
        assert report.findings == [] and report.ok
        assert str(report) == "nothing found" and "nothing found" in report._repr_html_()


def test_deep_it_reads_the_artifacts(place):
    with place.open() as store:
        kept = store.artifacts.put("report", "k", "whole")
        store.execute("UPDATE sprongus_artifacts SET content = $1", [b"other"])
        assert of_the_store(store.doctor()) == []
        (found,) = of_the_store(store.doctor(deep=True))
        assert found["code"] == "corrupt" and kept.id in found["message"]
        store.execute(found["fix"].partition(": ")[2])
        assert of_the_store(store.doctor(deep=True)) == []


def test_it_takes_admin(place):
    with place.open() as store:
        with pytest.raises(sprongus.PermissionDeniedError):
            store.scoped("p").doctor()
        with pytest.raises(TypeError):
            store.doctor(True)
        assert store.scoped("p", ["admin"]).doctor() == store.doctor()
