"""Messages that carry containers: an attached message (message/rfc822), an archive with a document inside, or both."""

from __future__ import annotations

from dataset_project.documents.formats.eml import MEDIA_TYPE, SUFFIX, SURFACES, message
from dataset_project.documents.formats.registry import CONTAINERS
from dataset_project.documents.model.blocks import Document
from dataset_project.documents.model.emitting import Written

__all__ = ["MEDIA_TYPE", "SUFFIX", "SURFACES", "write"]


def write(document: Document, doc_id: str) -> Written:
    """``document`` as a message, as `eml.write` does, with at least one message or archive among its attachments.

    Raises ValueError as `eml.write` does, and for attachments without a container.
    """
    if not any(name in CONTAINERS for name, _ in document.attachments):
        raise ValueError("nested_eml needs a message or an archive among its attachments")
    return message(document, doc_id, "nested_eml")
