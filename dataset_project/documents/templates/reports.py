"""Reports of laboratory and imaging."""

from __future__ import annotations

from dataset_project.documents.model.blocks import Document, Paragraph
from dataset_project.documents.templates.clinical import phrases
from dataset_project.documents.templates.draft import Draft
from dataset_project.documents.templates.layouts import bullets, identity, results_table, section, text
from dataset_project.documents.templates.notes import is_visit, who
from dataset_project.documents.templates.zones import compose

_REMARKS = (
    "Specimen slightly hemolyzed; potassium may be raised by up to 0.3 mmol/L.",
    "Results verified by repeat analysis on a second instrument.",
    "Fasting state not stated on the request.",
    "Delta check passed against the previous result.",
    "The interval for this analyte was changed at the start of the year.",
    "Add-on tests can be requested within 48 hours of collection.",
)
_LAB_SENTENCES = (
    "Critical values were telephoned to {provider.name} and read back.",
    "Requested by {provider.name}; copy to {provider2.name}.",
    "Comparison with the results of {date.prior} shows no unexpected change.",
    "{patient.titled} was identified by name and date of birth at collection.",
    "Collected at bedside on {date.collected}; label checked against wristband {patient.mrn}.",
    "Send questions to {facility.phone}, laboratory desk.",
)


def laboratory(d: Draft) -> Document:
    """Results with intervals and flags; the negative twin is a proficiency or control report without a patient."""
    picture = d.set_clinical(d.pick("setting", ("inpatient", "clinic")))
    rows = [
        *who(d),
        ("Accession no.", "patient.accession"),
        ("Order no.", "patient.order"),
        ("Ordered by", "provider.name"),
        ("Collected", "date.collected"),
        ("Reported", "date.reported"),
        ("Performing laboratory", "facility.name"),
    ]
    if d.chance("npi", 0.4):
        rows.insert(6, ("Ordering NPI", "provider.npi"))
    look = {"classic": "fields", "grid": "table", "strip": "line", "interface": "wide"}[d.layout]
    results = picture.results
    codes = d.layout != "strip"
    top = identity(d.at("who"), rows, look, "Order")
    d.at("remarks")
    remarks = [*d.sample("remarks", _REMARKS, 2), *d.sample("sentences", _LAB_SENTENCES, 2)]
    sections = [section("Laboratory Report", top)]
    if d.layout == "classic":
        for panel in dict.fromkeys(each.analyte.panel for each in results):
            of_panel = [each for each in results if each.analyte.panel == panel]
            sections.append(section(panel.capitalize(), results_table(of_panel, codes, panel.capitalize())))
        if d.single_table:
            sections = [sections[0], section("Results", results_table(results, codes))]
    else:
        sections.append(section("Results", results_table(results, codes)))
    flagged = [each.analyte.name for each in results if each.flag]
    summary = f"Out of interval: {'; '.join(flagged[:6])}." if flagged else "All results within the intervals."
    sections.append(section("Comments", Paragraph((summary,)), bullets(d, remarks)))
    sections.append(
        section(
            "Verification",
            text(
                d.at("closing"),
                [
                    d.pick(
                        "signed",
                        (
                            "Reviewed by {provider2.name}. Report printed {date.reported}.",
                            "Released by the medical director, {provider2.name}, NPI {provider2.npi}.",
                            "This report replaces any earlier one for order {patient.order}.",
                        ),
                    )
                ],
            ),
        )
    )
    return compose(d, "Laboratory Report", sections, narrative=False)


def radiology(d: Draft) -> Document:
    """A report on images: indication, technique, comparison, findings, impression."""
    picture = d.set_clinical(d.pick("setting", ("inpatient", "clinic")), images=True)
    image = picture.imaging
    rows = [
        *who(d),
        ("Accession", "patient.accession"),
        ("Exam", image.exam),
        ("Exam date", "date.procedure"),
        ("Referring", "provider.name"),
        ("Radiologist", "provider2.name"),
        ("Site", "facility.name"),
    ]
    look = {"structured": "fields", "prose": "line", "grid": "table"}[d.layout]
    top = identity(d.at("who"), rows, look, "Exam")
    d.at("story")
    indications = (
        "{patient.titled}, {age_short}: {short}. History of {comorbid}.",
        "Evaluate {short}. Requested by {provider.name}.",
        "{age} {man} with {complaint}.",
        "{Complaint}; rule out complication.",
    )
    indication = d.pick("indication", indications[:2] if is_visit(picture) else indications)
    technique = {
        "XR": "Digital radiography in the stated projections.",
        "CT": "Helical acquisition with multiplanar reformats; dose-length product within the reference level.",
        "MR": "Multiplanar, multisequence imaging at 3 T.",
        "US": "Real-time gray-scale and colour Doppler imaging with a curved transducer.",
        "MG": "Craniocaudal and mediolateral oblique views with tomosynthesis.",
        "DXA": "Dual-energy absorptiometry, cross-calibrated unit.",
    }[image.modality]
    comparison = d.pick(
        "comparison",
        (
            "None available.",
            "Prior study of {date.prior}.",
            "Outside images of {date.prior}, reviewed on {patient.url}.",
            "Report of {date.prior}, MRN {patient.mrn}, images not retrieved.",
        ),
    )
    tail = d.pick(
        "tail",
        (
            "Findings were telephoned to {provider.name} on {date.reported}.",
            "Discussed with {provider.name}, {provider.phone}.",
            "{patient.titled} was informed by the technologist that the report would follow.",
            "Electronically signed by {provider2.name}, {date.reported}.",
            "Read by {provider2.name} at {facility.name}.",
        ),
    )
    findings = (
        [text(d, image.findings)] if d.layout == "prose" else [Paragraph((each,), "list") for each in image.findings]
    )
    numbered = [Paragraph((f"{number}. {each}",)) for number, each in enumerate(image.impression, 1)]
    sections = [
        section("Radiology Report", top),
        section("Indication", text(d, [indication])),
        section("Technique", Paragraph((technique,))),
        section("Comparison", text(d, [comparison])),
        section("Findings", findings),
        section("Impression", numbered, text(d.at("closing"), [tail, *d.sample("closings", phrases("closings"), 1)])),
    ]
    if d.layout == "prose":
        body = [block for each in sections[1:5] for block in each.blocks]
        sections = [sections[0], section("Report", body), sections[5]]
    return compose(d, "Radiology Report", sections)
