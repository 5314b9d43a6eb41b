"""What must hold for every value by itself: its labels, its checksum, whose it is, and that the text says it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from dataset_project.documents.identities import surfaces
from dataset_project.documents.identities.case import FIELDS, OF, OWNERS
from dataset_project.documents.identities.fine_types import DATE_TYPES, TYPES, problem
from dataset_project.documents.identities.pools import Pools
from dataset_project.documents.identities.rows import relative_of
from dataset_project.documents.model.values import Value
from dataset_project.documents.validation.problems import Problems
from dataset_project.documents.validation.published_rows import Row, documents_of, pools_of, schema_problem, spans_of
from dataset_project.storage.published import Files, validator
from dataset_project.storage.validation import Finding

_ROLES: Mapping[str, frozenset[str]] = {
    name: frozenset(OF[owner] for owner in OWNERS.get(name, ("patient",))) for name in TYPES
}
_LETTERS = {"patient": "P", "relative": "P", "provider": "D", "facility": "F", "employee": "E"}
"""First letter of a role's ids."""
# Names and addresses have styles of their own, which need the person.
_OF_A_PERSON = frozenset(("patient_name", "relative_name", "provider_name", "employee_name", "address", "street"))
# Not in the pools: the document's own, or said of nobody in particular.
_OF_THE_DOCUMENT = frozenset(("accession", "claim", "authorization", "order", "ward", "country", "age", "age_90_plus"))
_ENCOUNTER = frozenset(DATE_TYPES) - {"birth_date", "hire_date"}


@validator
def values_are_what_they_claim(files: Files, reference_date: date) -> Finding:
    """Code and i2b2 type as of the fine type, checksums as their validity says, roles that may have such a value, ids
    of the role, dates not after ``reference_date`` (but for a follow-up); the text is one way to write the value."""
    if wrong := schema_problem(files):
        return Finding(False, wrong, {"problems": 1})
    problems, judged = Problems(), dict[tuple[str, ...], str]()
    codes: set[str] = set()
    count = 0
    for row in documents_of(files, ["doc_id", "reference_date"]):
        if row["reference_date"] != reference_date:
            problems.add("documents of another reference date", f"{row['doc_id']} {row['reference_date']}")
    for spans in spans_of(files).values():
        for span in spans:
            count += 1
            codes.add(span["hipaa_code"])
            key = tuple(span[name] for name in _JUDGED)
            if key not in judged:
                judged[key] = _judged(span, reference_date)
            if judged[key]:
                what, _, how = judged[key].partition(": ")
                problems.add(what, f"{span['span_id']} {how}")
    return problems.finding(f"{count:,} values are what they claim", {"values": count, "hipaa_codes": len(codes)})


_JUDGED = ("type", "hipaa_code", "i2b2_type", "role", "canonical", "validity", "subject_id", "text")


def _judged(span: Row, reference_date: date) -> str:
    try:
        return _wrong_with(span, reference_date)
    except Exception as error:
        # Checks and styles are written for values of their type; what was spoilt may be anything.
        return f"values that are not what their labels say: {span['type']} {span['canonical']!r}, {error!r}"


def _wrong_with(span: Row, reference_date: date) -> str:
    """What is wrong with a value, a colon and how; empty when nothing is."""
    kind, role, canonical = span["type"], span["role"], span["canonical"]
    value = Value(
        span["text"], span["hipaa_code"], kind, span["i2b2_type"], role, canonical, span["validity"], span["subject_id"]
    )
    if wrong := problem(value):
        return f"values that are not what their labels say: {wrong}"
    if role not in _ROLES[kind]:
        return f"values of a role that has none: {kind} of {role}"
    subject = span["subject_id"]
    if subject and (subject[0] != _LETTERS.get(role) or subject.endswith("-R") != (role == "relative")):
        return f"subjects of another role: {subject} is no {role}"
    if kind in DATE_TYPES and kind != "follow_up_date" and date.fromisoformat(canonical) > reference_date:
        return f"dates after the reference date: {kind} {canonical}"
    if kind not in _OF_A_PERSON and not _is_written(kind, canonical, span["text"]):
        return f"texts that do not write their value: {kind} {canonical!r} as {span['text']!r}"
    return ""


def _is_written(kind: str, canonical: str, text: str) -> bool:
    return any(write(canonical) == text for write in surfaces.STYLES[kind].values())


@validator
def values_are_their_owners(files: Files) -> Finding:
    """Each value of a subject is the one that the identity pools have of them, dates of the encounter after birth, and
    a document is about the patient, provider and facility whom its row names.

    ``files``: documents, spans and the four tables of the identity pools.
    """
    if wrong := schema_problem(files):
        return Finding(False, wrong, {"problems": 1})
    pools, problems = pools_of(files), Problems()
    people: dict[str, Any] = {}
    checked = 0
    for spans in spans_of(files).values():
        for span in spans:
            if not span["subject_id"] or span["type"] in _OF_THE_DOCUMENT:
                continue
            checked += 1
            if wrong := _not_theirs(span, people, pools):
                problems.add("values that are not their subject's", f"{span['span_id']} {wrong}")
    for row in documents_of(files, ["doc_id", "patient_id", "provider_id", "facility_id"]):
        for name in ("patient_id", "provider_id", "facility_id"):
            if row[name] is not None and _person(row[name], people, pools) is None:
                problems.add("people who are in no pool", f"{row['doc_id']} {row[name]}")
    return problems.finding(f"{checked:,} values are their subjects'", {"values": checked, "subjects": len(people)})


def _person(subject: str, people: dict[str, Any], pools: Pools) -> Any:
    if subject not in people:
        look_up = {"P": pools.patient, "D": pools.provider, "F": pools.facility, "E": pools.employee}.get(subject[:1])
        try:
            found = look_up(subject.removesuffix("-R")) if look_up else None
        except KeyError:
            found = None
        people[subject] = relative_of(found) if found is not None and subject.endswith("-R") else found
    return people[subject]


def _not_theirs(span: Row, people: dict[str, Any], pools: Pools) -> str:
    kind, canonical = span["type"], span["canonical"]
    person = _person(span["subject_id"], people, pools)
    if person is None:
        return f"{span['subject_id']} is in no pool"
    if kind in _ENCOUNTER:
        # ISO dates are in the order of their texts.
        return "" if canonical >= str(getattr(person, "birth_date", "")) else f"{kind} {canonical} is before birth"
    try:
        expected = _canonicals(kind, person)
    except AttributeError:
        return f"{kind}, which {span['subject_id']} does not have"
    return "" if canonical in expected else f"{kind} {canonical!r}, {span['subject_id']} has {' or '.join(expected)!r}"


def _canonicals(kind: str, person: Any) -> tuple[str, ...]:
    """What a person of the pools may be said to have of a type."""
    if kind.endswith("_name") and kind != "facility_name":
        return (person.full_name,)
    if kind in ("street", "address"):
        street = surfaces.street_of(person)
        return (street if kind == "street" else f"{street}, {person.city}, {person.state} {person.zip}",)
    if kind == "phone" and hasattr(person, "home_phone"):
        return person.home_phone, person.mobile_phone
    if kind == "mrn":
        return person.mrn, person.other_mrn
    if kind == "zip3":
        return (person.zip[:3],)
    if kind == "occupation" and hasattr(person, "title"):
        return (person.title,)
    found = getattr(person, FIELDS.get(kind, kind), None)
    return (str(found),) if found is not None else ()
