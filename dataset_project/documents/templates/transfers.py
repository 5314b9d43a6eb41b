"""Containers: messages that carry an earlier one and an archive, or archives alone."""

from __future__ import annotations

from dataset_project.documents.model.blocks import Block, Document, Paragraph, Table
from dataset_project.documents.templates.clinical import office
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.layouts import bullets, cells, identity, result_sentence, section, text
from dataset_project.documents.templates.notes import history
from dataset_project.documents.templates.parts import bare_archive, forwarded
from dataset_project.documents.templates.zones import compose, headers


def transfer_request(d: Draft) -> Document:
    """One hospital asks another to take a patient: a message that carries the earlier one and an archive of records."""
    if d.surfaces == {"file_name"}:
        return bare_archive(d)
    picture = d.set_clinical("inpatient")
    who = (
        ("Patient", "patient.full"),
        ("Date of birth", "patient.dob"),
        ("MRN at sender", "patient.mrn"),
        ("Admitted", "date.admission"),
        ("Diagnosis", f"{picture.condition.name} ({picture.condition.icd10})"),
        ("Sending clinician", "{provider.name}, {provider.phone}"),
        ("Next of kin", "{relative.name}, {relative.relation}, {relative.phone}"),
        ("Transport", d.pick("transport", ("ground, advanced life support", "helicopter", "wheelchair van"))),
    )
    look = {"fields": "fields", "table": "table", "narrative": "line"}[d.layout]
    d.at("body")
    opening = d.fill(
        d.pick(
            "opening mail",
            (
                "Please consider {patient.titled} for transfer to your unit.",
                "We request transfer of {patient.name}, {age_short}, for a higher level of care.",
                "Bed request: {short}, {age} {man}, stable.",
            ),
        )
    )
    needs = bullets(
        d,
        d.sample(
            "needs",
            (
                "Needs a bed with telemetry and one-to-one observation at night.",
                "Accepting clinician, if known: {provider2.name}.",
                "Belongings travel with {relative.name}.",
                "Isolation: none. Code status: full.",
                "Implanted device serial {patient.device}; card copied.",
                "Plan {patient.plan}, member {patient.member_id}, has approved under {patient.authorization}.",
                "Images are on the exchange at {patient.url}.",
            ),
            4,
        ),
    )
    sections = [
        section("Transfer Request", Paragraph(opening), identity(d.at("who"), who, look, "Transfer")),
        section(
            "Course",
            text(d.at("story"), history(d, picture)),
            text(d, picture.course),
            text(d, [result_sentence(picture.results)]),
        ),
        section("Needs", needs, Paragraph(d.at("end").fill("{provider.name}, {facility.name}"))),
    ]
    subject = d.pick(
        "subject",
        (
            "Transfer request",
            "Transfer: {short}",
            "Bed request for {patient.name}",
            "URGENT transfer MRN {patient.mrn}",
        ),
    )
    mail = headers(d, "provider", ["provider2"], subject)
    return compose(d, "Transfer Request", sections, mail=mail, attachments=forwarded(d))


def records_release(d: Draft) -> Document:
    """An office of records answers a request with copies, in an archive."""
    if d.surfaces == {"file_name"}:
        return bare_archive(d)
    d.set_clinical("clinic")
    who = (
        ("Records of", "patient.name"),
        ("Date of birth", "patient.dob"),
        ("Record number", "patient.mrn"),
        ("Requested by", d.pick("requester", ("{relative.name}", "{provider2.name}", "the patient", "{patient.plan}"))),
        ("Request dated", "date.visit"),
        ("Delivered to", d.pick("delivered", ("{patient.email}", "{provider2.fax}", "{patient.address}"))),
    )
    d.at("body")
    opening = d.fill(
        d.pick(
            "opening mail",
            (
                "Enclosed are the records you asked for.",
                "Please find attached copies for {patient.titled}, as authorized.",
                "This answers the request of {date.visit}.",
            ),
        )
    )
    lines = d.sample(
        "lines",
        (
            "The archive opens with the password sent by telephone to {patient.phone}.",
            "Re-disclosure is prohibited without a further authorization.",
            "Billing records of account {patient.account} follow separately.",
            "Images can be viewed at {patient.url} for thirty days.",
            "If you are not the intended receiver, call {facility.phone} and delete this message.",
            "Copies up to fifty pages are free of charge.",
            "Identity was confirmed with driver's license {patient.licence}.",
        ),
        4,
    )
    look = {"cover_sheet": "table", "letter": "line", "notice": "fields"}[d.layout]
    sections = [
        section("Release of Records", Paragraph(opening), identity(d.at("who"), who, look, "Request")),
        section("Notes", bullets(d.at("lines"), lines), Paragraph(d.at("end").fill("Records Desk, {facility.name}"))),
    ]
    subject = d.pick(
        "subject", ("Records request", "Release of records {patient.name}", "Your request", "ROI MRN {patient.mrn}")
    )
    mail = headers(d, "provider", [d.pick("receiver", ("patient", "relative", "provider2"))], subject)
    return compose(d, "Records Release", sections, mail=mail, attachments=forwarded(d))


def audit_package(d: Draft) -> Document:
    """Internal audit sends what it looked at."""
    if d.surfaces == {"file_name"}:
        return bare_archive(d)
    d.set_clinical("clinic")
    findings = d.sample("findings", office()["audit_findings"], 5)
    own = d.whole("own", 0, len(findings) - 1)
    rows = []
    for number, finding in enumerate(findings):
        d.at(f"row {number}")
        record = d.field("patient.mrn") if number == own else (f"sample {number + 1}",)
        name = d.field("patient.last_first") if number == own else ("name withheld",)
        seen = d.field("date.visit") if number == own else ("-",)
        rows.append(((str(number + 1),), record, name, seen, (finding,)))
    table = Table(("No.", "Record", "Patient", "Visit", "Finding"), tuple(rows), "Sample")
    head = (("Auditor", "employee.name"), ("Clinic", "facility.name"), ("Reviewed with", "provider.name"))
    look = {"memo": "line", "list": "table", "summary": "fields"}[d.layout]
    words = d.sample(
        "words",
        (
            "Please comment on the findings within ten days.",
            "The account {patient.account} needs a corrected claim.",
            "{patient.titled} should be told of the late entry; telephone {patient.phone}.",
            "The archive has the pages as they were scanned.",
            "Records were drawn at random from the visits of one week.",
            "Return the archive to the audit office, do not keep copies.",
        ),
        4,
    )
    sections = [
        section("Chart Audit", identity(d.at("head"), head, look, "Audit"), table),
        section("Remarks", bullets(d.at("words"), words)),
    ]
    subject = d.pick("subject", ("Chart audit", "Audit sample for {provider.name}", "Audit: record {patient.mrn}"))
    mail = headers(d, "employee", ["provider"], subject)
    return compose(d, "Chart Audit", sections, kind="office", mail=mail, attachments=forwarded(d))


def incident_notice(d: Draft) -> Document:
    """The privacy office passes on a message that went astray."""
    if d.surfaces == {"file_name"}:
        return bare_archive(d)
    d.set_clinical("clinic")
    told = d.sample("told", office()["incident_texts"], 4)
    cases = d.sample("cases", office()["incident_cases"], 3)
    d.at("body")
    if d.layout == "timeline":
        hours = ("08:10", "09:05", "11:40", "15:20")
        rows = tuple((cells(hour)[0], (line,)) for hour, line in zip(hours, told, strict=False))
        story: list[Block] = [Table(("Time", "What happened"), rows, "Timeline")]
    else:
        story = [text(d, told)]
    affected = bullets(d.at("cases"), cases) if d.layout != "narrative" else [text(d.at("cases"), cases)]
    head = (("Sender", "provider.name"), ("Receiver", "employee.name"), ("Category", "misdirected message, low risk"))
    look = "form" if d.layout == "form" else "fields"
    sections = [
        section("Privacy Incident", identity(d.at("head"), head, look, "Incident"), story),
        section("Affected Person", affected),
        section("Closing", Paragraph(d.at("end").fill("Privacy Office, {facility.name}"))),
    ]
    subject = d.pick("subject", ("FW: misdirected message", "Privacy incident, {patient.initials}", "Incident report"))
    mail = headers(d, "employee", ["provider"], subject)
    return compose(d, "Incident Notice", sections, kind="office", mail=mail, attachments=forwarded(d))
