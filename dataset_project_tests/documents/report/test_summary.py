"""Counts of the report against counting row by row."""

from __future__ import annotations

from collections import Counter, defaultdict

from dataset_project.documents.exports.batches import Batches
from dataset_project.documents.report.summary import TABLES, summarise
from dataset_project_tests.documents.report.corpora import rows_of


def _as_counts(table, *counted):
    rows = table.to_pylist()
    keys = [name for name in table.schema.names if name not in counted]
    found = {tuple(row[name] for name in keys): tuple(row[name] for name in counted) for row in rows}
    assert len(found) == len(rows), "a key occurs twice"
    assert list(found) == sorted(found), "rows are sorted by their keys"
    return found


def test_every_table_counts_what_is_published(published):
    tables = summarise(published)
    assert {name: table.schema for name, table in tables.items()} == dict(TABLES)
    files = [row for row in rows_of(published, "documents") if row["parent_doc_id"] is None]
    assert len(files) == 120 < len(rows_of(published, "documents")), "the corpus has parts, which are not counted"
    expected: dict = defaultdict(lambda: [0, 0, 0])
    by_template: dict = defaultdict(lambda: [0, 0])
    for row in files:
        for at, count in enumerate((1, row["bytes"], row["spans"])):
            expected[row["format"], row["class"]][at] += count
        for at, count in enumerate((1, row["spans"])):
            by_template[row["template_id"], row["class"], row["split"]][at] += count
    assert _as_counts(tables["format_class"], "documents", "bytes", "spans") == {
        key: tuple(counts) for key, counts in expected.items()
    }
    assert _as_counts(tables["template_counts"], "documents", "spans") == {
        key: tuple(counts) for key, counts in by_template.items()
    }


def test_values_are_counted_with_the_documents_that_hold_them(published):
    form_of = {row["doc_id"]: row["format"] for row in rows_of(published, "documents")}
    spans: Counter = Counter()
    documents = defaultdict(set)
    names = ("type", "hipaa_code", "surface", "validity", "visible")
    for row in rows_of(published, "spans"):
        kind, code, surface, validity, visible = (row[name] for name in names)
        key = (kind, code, surface, form_of[row["doc_id"]], validity, visible)
        spans[key] += 1
        documents[key].add(row["doc_id"])
    found = _as_counts(summarise(published)["span_counts"], "spans", "documents")
    assert found == {key: (count, len(documents[key])) for key, count in spans.items()}
    assert any(count > files for count, files in found.values())


def test_the_order_of_batches_does_not_matter(published):
    backwards = Batches(tuple(reversed(published.keys)), published.table, published.file)
    for name, table in summarise(published).items():
        assert table.equals(summarise(backwards)[name])


def test_no_batch_makes_tables_without_rows():
    def nothing(*_):
        raise AssertionError("there is nothing to read")

    tables = summarise(Batches((), nothing, nothing))
    assert {name: (table.num_rows, table.schema) for name, table in tables.items()} == {
        name: (0, schema) for name, schema in TABLES.items()
    }
