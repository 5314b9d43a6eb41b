"""Header fields of messages (RFC 5322, RFC 2047): addresses, subjects, dates, ids, parameters; folded and in ASCII.

What stands below the headers belongs to `mail_parts`.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime, formataddr, parsedate_to_datetime
from urllib.parse import quote

from dataset_project.documents.model.blocks import MailHeaders
from dataset_project.documents.model.emitting import Emitter, Locator
from dataset_project.documents.model.values import Runs

CRLF = "\r\n"
DOMAIN = "mail.example.org"
"""Of message ids made here (RFC 2606)."""

# RFC 5322 section 2.1.1: lines should have no more than 78 characters.
_LINE = 76
_ADDRESS = re.compile(r"(?:(?P<name>.*\S)\s*)?<(?P<address>[^<>\s]+@[^<>\s]+)>|(?P<bare>[^<>\s]+@[^<>\s]+)")


def unstructured(name: str, text: str) -> str:
    """``name: text`` as one header field, folded; encoded words where ``text`` is not plain ASCII."""
    plain_ascii = text.isascii() and "=?" not in text and text == text.strip()
    if plain_ascii and len(name) + 2 + len(text) <= _LINE:
        return f"{name}: {text}"
    header = Header(text, "us-ascii" if plain_ascii else "utf-8", maxlinelen=_LINE, header_name=name)
    # A first word that is longer than a line stays on the field's own: readers make a blank of the fold.
    return f"{name}: {header.encode(linesep=CRLF).removeprefix(f'{CRLF} ')}"


def address(text: str) -> str:
    """``Name <address>`` or a bare address as it is written in a header: the name quoted or encoded where needed.

    Raises ValueError for anything else, and for an address that is not ASCII.
    """
    match = _ADDRESS.fullmatch(text)
    where = match and (match["address"] or match["bare"])
    if not where or not where.isascii():
        raise ValueError(f"a mail address is written 'Name <address>' or 'address', in ASCII: {text!r}")
    name = match["name"] or ""
    if len(name) > 2 and name[0] == name[-1] == '"':
        name = name[1:-1]
    if name.isascii() and "=?" not in name:
        return formataddr((name, where))
    return f"{Header(name, 'utf-8', maxlinelen=_LINE).encode(linesep=CRLF)} <{where}>"


def addresses(name: str, texts: list[str]) -> str:
    """A header field of addresses, folded between them."""
    written = [address(text) for text in texts]
    one_line = f"{name}: {', '.join(written)}"
    return one_line if len(one_line) <= _LINE else f"{name}: {f',{CRLF} '.join(written)}"


def date(text: str) -> str:
    """A date of ISO 8601 or RFC 5322 as RFC 5322 has it; without a zone it is UTC. Raises ValueError for neither."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            raise ValueError(f"a mail's date is one of ISO 8601 or RFC 5322: {text!r}") from None
    return format_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def token(doc_id: str, purpose: str) -> str:
    """24 hexadecimal digits of ``doc_id``'s own for boundaries and ids."""
    return hashlib.sha256(f"{purpose}\0{doc_id}".encode()).hexdigest()[:24]


def parameter(name: str, text: str) -> str:
    """``name=value`` of a MIME header (RFC 2045; RFC 2231 for what is not ASCII)."""
    return f'{name}="{text}"' if text.isascii() else f"{name}*=utf-8''{quote(text, safe='')}"


def header_lines(mail: MailHeaders, doc_id: str, emitter: Emitter) -> list[str]:
    """The fields of a message, those of MIME excepted, in the order of mail programs.

    Addresses, subject and date are emitted as ``mail_header`` at ``{"kind": "mail_header", "header": …, "index": …}``;
    the index counts a field's addresses. Raises ValueError for no sender and for malformed addresses and dates.
    """
    if not mail.sender:
        raise ValueError("a message needs a sender")

    def emit(runs: Runs, header: str, index: int = 0) -> str:
        locator: Locator = {"kind": "mail_header", "header": header, "index": index}
        return emitter.emit(runs, "mail_header", locator)

    lines = []
    fields = (("From", (mail.sender,)), ("To", mail.to), ("Cc", mail.cc))
    for name, many in (*fields, ("Reply-To", (mail.reply_to,) if mail.reply_to else ())):
        texts = [emit(runs, name, index) for index, runs in enumerate(many)]
        if texts:
            lines.append(addresses(name, texts))
    lines.append(unstructured("Subject", emit(mail.subject, "Subject")))
    lines.append(f"Date: {emit((date(mail.date),), 'Date')}")
    identity = mail.message_id.strip("<>") or f"{token(doc_id, 'message')}@{DOMAIN}"
    if not identity.isascii() or re.search(r"[\s<>]", identity):
        raise ValueError(f"a message id has no blanks, brackets or characters beyond ASCII: {mail.message_id!r}")
    return [*lines, f"Message-ID: <{identity}>", "MIME-Version: 1.0"]
