"""Arrow schemas of the identity tables: every column with its description.

Order, types and nullability are part of the contract; `pools` refuses tables that differ.
"""

from __future__ import annotations

import pyarrow as pa

_TEXT, _FLAG, _DAY = pa.string(), pa.bool_(), pa.date32()


def _column(name: str, description: str, kind: pa.DataType = _TEXT, nullable: bool = False) -> pa.Field:
    return pa.field(name, kind, nullable=nullable, metadata={"description": description})


_NAME = [
    _column("given", "given name"),
    _column("middle", "middle name, or null", nullable=True),
    _column("family", "family name; may have two words or a hyphen"),
    _column("suffix", "Jr., Sr., II, III or IV, or null", nullable=True),
    _column("sex", "F or M"),
    _column("ambiguous_name", "whether given and family name were drawn from names that are also words", _FLAG),
]
_ADDRESS = [
    _column("street", "house number and street"),
    _column("unit", "apartment or unit, or null", nullable=True),
    _column("city", "city"),
    _column("county", "county of the city, without the word County"),
    _column("state", "two-letter code of the state"),
    _column("zip", "five-digit ZIP code; its first three digits belong to city and state"),
]
_VALIDITY = "realistic, reserved or invalid_checksum"

PATIENTS = pa.schema(
    [
        _column("id", "P and seven digits; appears in no document"),
        *_NAME,
        _column("birth_date", "date of birth, counted back from the reference date", _DAY),
        *_ADDRESS,
        _column("home_phone", "ten digits, 555-01xx"),
        _column("mobile_phone", "ten digits, 555-01xx"),
        _column("fax", "ten digits, 555-01xx"),
        _column("email", "address in an RFC 2606 domain"),
        _column("ssn", "nine digits in an area that is never issued"),
        _column("facility_id", "facility where the patient is usually treated"),
        _column("mrn", "medical record number at facility_id, in its style"),
        _column("other_facility_id", "another facility with a record of the patient; the same one in a pool of one"),
        _column("other_mrn", "medical record number at other_facility_id, in its style"),
        _column("mbi", "Medicare beneficiary identifier without dashes, from 65 years on, or null", nullable=True),
        _column("mbi_validity", f"{_VALIDITY}, or null", nullable=True),
        _column("plan", "health plan, fictional"),
        _column("member_id", "member id in the plan's style"),
        _column("group_number", "group number in the plan's style"),
        _column("account", "account number at the facility, ten digits"),
        _column("driver_licence", "driver licence in the style of the state"),
        _column("vin", "vehicle identification number, ISO 3779"),
        _column("vin_validity", _VALIDITY),
        _column("plate", "licence plate in the style of the state"),
        _column("device", "implanted or worn device: what it is"),
        _column("device_serial", "the maker's serial number of the device"),
        _column("device_udi", "unique device identifier, (01) GTIN (21) serial"),
        _column("device_udi_validity", _VALIDITY),
        _column("url", "personal page in an RFC 2606 domain"),
        _column("ip", "address in a documentation network, IPv4 or IPv6"),
        _column("username", "name on the patient portal"),
        _column("biometric", "id of a biometric template: finger, iris, voice, face or palm"),
        _column("photo", "file name of a full-face photograph"),
        _column("trial_subject", "subject number in a clinical trial"),
        _column("rx_number", "prescription number with refill"),
        _column("employer", "employer, fictional"),
        _column("occupation", "occupation"),
        _column("relation", "what the emergency contact is to the patient"),
        _column("relative_given", "given name of the emergency contact"),
        _column("relative_family", "family name of the emergency contact"),
        _column("relative_phone", "ten digits, 555-01xx"),
        _column("relative_email", "address in an RFC 2606 domain"),
    ]
)

PROVIDERS = pa.schema(
    [
        _column("id", "D and six digits; appears in no document"),
        *_NAME,
        _column("credentials", "MD, DO, NP …"),
        _column("specialty", "specialty"),
        _column("npi", "national provider identifier"),
        _column("npi_validity", _VALIDITY),
        _column("dea", "DEA registration number"),
        _column("dea_validity", _VALIDITY),
        _column("licence", "medical licence in the style of the state"),
        _column("licence_state", "two-letter code of the state"),
        _column("phone", "ten digits, 555-01xx"),
        _column("fax", "ten digits, 555-01xx"),
        _column("email", "address in the facility's domain"),
        _column("username", "name on the facility's systems"),
        _column("facility_id", "facility where the provider works"),
    ]
)

FACILITIES = pa.schema(
    [
        _column("id", "F and four digits; appears in no document"),
        _column("name", "fictional name"),
        _column("kind", "hospital, clinic, laboratory, imaging or rehabilitation"),
        *[field for field in _ADDRESS if field.name != "unit"],
        _column("phone", "ten digits, 555-01xx"),
        _column("fax", "ten digits, 555-01xx"),
        _column("domain", "RFC 2606 domain"),
        _column("url", "home page"),
        _column("email", "mailbox of the records desk"),
        _column("npi", "national provider identifier of the organisation"),
        _column("npi_validity", _VALIDITY),
        _column("mrn_style", "name of the style of its medical record numbers"),
        _column("mrn_prefix", "three letters, used by the style `prefixed`"),
    ]
)

EMPLOYEES = pa.schema(
    [
        _column("id", "E and six digits; appears in no document"),
        *_NAME,
        _column("birth_date", "date of birth, 19 to 70 years before the reference date", _DAY),
        *_ADDRESS,
        _column("phone", "ten digits, 555-01xx"),
        _column("email", "personal address in an RFC 2606 domain"),
        _column("ssn", "nine digits in an area that is never issued"),
        _column("employee_number", "seven digits"),
        _column("bank_account", "twelve digits"),
        _column("username", "name on the facility's systems"),
        _column("title", "job title"),
        _column("department", "department"),
        _column("hire_date", "first day of work, before the reference date", _DAY),
        _column("facility_id", "facility that employs"),
    ]
)
"""Staff without patients: who payroll, invoices and letters of human resources are about (personal data, not PHI)."""
