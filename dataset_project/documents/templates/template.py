"""What a template is, and how a document is built from one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dataset_project.documents.model.blocks import Document, Surface
from dataset_project.documents.templates.blanks import PROSE, Manner
from dataset_project.documents.templates.draft import Draft

if TYPE_CHECKING:
    from dataset_project.documents.identities.case import Case


@dataclass(frozen=True)
class Template:
    """A kind of document. ``classes``: those it can be; ``formats``: those it suits; ``layouts``: ids of its looks.

    ``companions``: how many cases of other patients it can use (census, billing workbook); none needed.
    ``manners``: how blanks are written where there is no value.
    """

    id: str
    version: str
    title: str
    classes: tuple[str, ...]
    formats: tuple[str, ...]
    layouts: tuple[str, ...]
    write: Callable[[Draft], Document]
    manners: Sequence[Manner] = PROSE
    companions: int = 0

    def build(
        self,
        case: Case,
        rng_for: Callable[[str], np.random.Generator],
        surfaces: frozenset[Surface],
        document_class: str,
        layout: str,
        difficulty: str,
        others: Sequence[Case] = (),
        part_layouts: Callable[[Template], Sequence[str]] | None = None,
    ) -> Document:
        """A document about ``case``. ``rng_for``: the stream of a field by its name; ``others``: up to `companions`.

        ``part_layouts``: the layouts that attachments and members of a template may have (those of the document's
        split); None: all.

        Raises ValueError for a class, layout or difficulty that the template does not have, and for too many others.
        """
        if document_class not in self.classes:
            raise ValueError(f"template {self.id} is one of {', '.join(self.classes)}, not {document_class!r}")
        if layout not in self.layouts:
            raise ValueError(f"template {self.id} has the layouts {', '.join(self.layouts)}, not {layout!r}")
        if len(others) > self.companions:
            raise ValueError(f"template {self.id} takes up to {self.companions} other cases, not {len(others)}")
        draft = Draft(case, rng_for, surfaces, document_class, layout, difficulty, self.manners)
        draft.others = tuple(others)
        draft.part_layouts = part_layouts
        return self.write(draft)
