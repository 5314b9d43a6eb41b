"""Zones around the body of a word-processing document: header, footer, footnotes, comments; and where they hang on it.

Blocks of the body belong to `docx_blocks`, document properties to `ooxml`.
"""

from __future__ import annotations

from collections.abc import Iterator

from dataset_project.documents.formats.docx_story import Story, paragraph_head
from dataset_project.documents.formats.ooxml import escape_attribute
from dataset_project.documents.model.blocks import Comment
from dataset_project.documents.model.values import Runs

_HEADER, _FOOTER = paragraph_head("Header"), paragraph_head("Footer")
_RIGHT = '<w:jc w:val="right"/>'
# Without a cached result, which would be text that is no text of the document. Word computes it, LibreOffice too.
_PAGE_NUMBER = (
    f'{paragraph_head("Footer", _RIGHT)}<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
    '<w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
)
_FOOTNOTE, _COMMENT = paragraph_head("FootnoteText"), paragraph_head("CommentText")
# Wide spacing instead of a blank after the number, which would be text of the paragraph.
_OWN_NUMBER = '<w:r><w:rPr><w:rStyle w:val="FootnoteReference"/><w:spacing w:val="60"/></w:rPr><w:footnoteRef/></w:r>'
_OWN_MARK = '<w:r><w:rPr><w:rStyle w:val="CommentReference"/></w:rPr><w:annotationRef/></w:r>'
# Word wants the two lines that part notes from text; the settings name them by these ids.
_SEPARATORS = tuple(
    f'<w:footnote w:type="{kind}" w:id="{number}">{paragraph_head("Gap")}<w:r><w:{kind}/></w:r></w:p></w:footnote>'
    for kind, number in (("separator", -1), ("continuationSeparator", 0))
)


def header(story: Story, runs: Runs) -> str:
    """The header part."""
    story.paragraph(_HEADER, runs, "header")
    return story.document("hdr")


def footer(story: Story, runs: Runs) -> str:
    """The footer part: its text, if any, and below it the page number as a field."""
    if runs:
        story.paragraph(_FOOTER, runs, "footer")
    story.bare(_PAGE_NUMBER)
    return story.document("ftr")


def footnotes(story: Story, notes: tuple[Runs, ...]) -> str:
    """The footnotes part; numbered from 1."""
    for separator in _SEPARATORS:
        story.bare(separator)
    for number, runs in enumerate(notes, 1):
        story.xml.append(f'<w:footnote w:id="{number}">')
        story.paragraph(_FOOTNOTE, runs, "footnote", before=_OWN_NUMBER)
        story.xml.append("</w:footnote>")
    return story.document("footnotes")


def comments(story: Story, remarks: tuple[Comment, ...]) -> str:
    """The comments part; numbered from 0. The author's locator has ``attribute``: ``author``. No initials, no date."""
    for number, remark in enumerate(remarks):
        where = {**story.locator(), "attribute": "author"}
        author = escape_attribute(story.emitter.emit(remark.author, "comment", where))
        story.xml.append(f'<w:comment w:id="{number}" w:author="{author}">')
        story.paragraph(_COMMENT, remark.runs, "comment", before=_OWN_MARK)
        story.xml.append("</w:comment>")
    return story.document("comments")


def anchors(notes: int, remarks: int) -> Iterator[tuple[str, str]]:
    """XML before and after the runs of a paragraph, for each footnote, then for each comment.

    Not mixed: LibreOffice 7.4 loses the text of footnotes when references to them and to comments alternate.
    """
    for note in range(1, notes + 1):
        yield (
            "",
            f'<w:r><w:rPr><w:rStyle w:val="FootnoteReference"/></w:rPr><w:footnoteReference w:id="{note}"/></w:r>',
        )
    for remark in range(remarks):
        yield (
            f'<w:commentRangeStart w:id="{remark}"/>',
            f'<w:commentRangeEnd w:id="{remark}"/><w:r><w:rPr><w:rStyle w:val="CommentReference"/></w:rPr>'
            f'<w:commentReference w:id="{remark}"/></w:r>',
        )
