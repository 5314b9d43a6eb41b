"""The registry's public API, version 2: all pages of a query, or one clear error and nothing.

Reference: https://clinicaltrials.gov/data-api/api. The total comes with the first page; page tokens are opaque.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit, urlunsplit

from pydantic_core import from_json

from dataset_project import __version__
from dataset_project.trials.records.errors import InvalidSource, RegistryFailed
from dataset_project.trials.records.intake import Intake, OnProgress, RecordsRead
from dataset_project.trials.records.study import PIECES, id_of

if TYPE_CHECKING:
    import requests

USER_AGENT = f"dataset-project/{__version__}"
_RETRIED = (429, 500, 502, 503, 504)
# A page that brings no new study may happen (studies move while they are paged through); several running do not.
_MOST_STALLED = 3
# The registry changes while it is read: so much may be missing of the total it gave at first.
_MOST_MISSING = 0.01


@dataclass(frozen=True)
class Patience:
    """How long to insist. Waits double from ``backoff_s`` to a minute; a Retry-After is obeyed up to ten minutes."""

    retries: int = 6
    backoff_s: float = 1.0
    connect_s: float = 10.0
    read_s: float = 60.0
    retry_after_s: int = 600


def read_registry(
    api_url: str,
    query: str | None,
    *,
    page_size: int = 1000,
    max_trials: int | None = None,
    on_progress: OnProgress | None = None,
    patience: Patience = Patience(),
) -> RecordsRead:
    """The studies that ``query`` (the registry's own syntax; None: all) finds, in its order, at most ``max_trials``.

    ``on_progress`` is called after every page. Raises InvalidSource for an address that is none and for a query that
    finds nothing; RegistryFailed, saying how many studies had been read, when a page cannot be had, when pages repeat,
    and when they end though the registry had announced more.
    """
    intake = Intake()
    with _Pages(api_url, query, patience) as pages:
        while True:
            left = None if max_trials is None else max_trials - intake.records
            studies, token = pages.next(page_size if left is None else min(page_size, left), intake)
            for study in studies[:left]:
                intake.take_study(study)
            if on_progress is not None:
                known = [each for each in (pages.total, max_trials) if each is not None]
                on_progress(intake.records, min(known) if pages.total is not None else None)
            if max_trials is not None and intake.records >= max_trials:
                break
            if token is None:
                pages.require_all(intake)
                break
    if not intake.records:
        raise InvalidSource(f"{pages.where}: the query {query!r} finds no study; try it on the registry's website")
    return intake.result()


@dataclass
class _Pages:
    """One query's pages in order. ``total``: how many studies the registry said there are, last time it said so."""

    api_url: str
    query: str | None
    patience: Patience
    total: int | None = None
    _least: int | None = None
    _token: str | None = None
    _tokens: set[str] = field(default_factory=set)
    _seen: set[str] = field(default_factory=set)
    _stalled: int = 0
    _session: requests.Session | None = None

    def __enter__(self) -> _Pages:
        parts = urlsplit(self.api_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise InvalidSource("api_url must be an http or https address without anything after ? or #")
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util.retry import Retry

        retry = Retry(
            total=self.patience.retries,
            backoff_factor=self.patience.backoff_s,
            backoff_max=60,
            status_forcelist=_RETRIED,
            allowed_methods={"GET"},
            respect_retry_after_header=True,
            retry_after_max=self.patience.retry_after_s,
            raise_on_status=False,
        )
        self._session = requests.Session()
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    @property
    def where(self) -> str:
        """The address, without user name and password."""
        parts = urlsplit(f"{self.api_url.rstrip('/')}/studies")
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))

    def next(self, size: int, intake: Intake) -> tuple[list[Any], str | None]:
        """The next page's studies and the token of the one after; None after the last."""
        page = self._page(size, intake)
        studies, token, total = page["studies"], page.get("nextPageToken"), page.get("totalCount")
        if isinstance(total, int) and not isinstance(total, bool) and total >= 0:
            self.total = total
            self._least = total if self._least is None else min(self._least, total)
        known = len(self._seen)
        self._seen.update(filter(None, map(id_of, studies)))
        self._stalled = self._stalled + 1 if len(self._seen) == known else 0
        if token in self._tokens or (token and self._stalled >= _MOST_STALLED):
            self._fail("the pages repeat themselves without end", intake)
        self._token = token or None
        if token:
            self._tokens.add(token)
        return studies, self._token

    def require_all(self, intake: Intake) -> None:
        """Raises RegistryFailed when much less came than the registry had said."""
        if self._least is not None and self._least - intake.records > _MOST_MISSING * self._least:
            self._fail(f"the pages ended early, {self._least:,} studies had been announced", intake)

    def _page(self, size: int, intake: Intake) -> dict[str, Any]:
        problem = ""
        for attempt in range(self.patience.retries + 1):
            if attempt:
                time.sleep(min(60.0, self.patience.backoff_s * 2 ** (attempt - 1)))
            content = self._get(size, intake)
            if content is None:
                problem = "the answer breaks off"
                continue
            try:
                page = from_json(content, cache_strings="keys")
            except ValueError as error:
                problem = f"the answer is not JSON ({error})"
                continue
            if not isinstance(page, dict) or not isinstance(page.get("studies"), list):
                problem = "the answer is no page of studies"
            elif not isinstance(page.get("nextPageToken"), str | None):
                problem = "the answer's nextPageToken is not text"
            else:
                return page
        self._fail(f"{problem}, {self.patience.retries + 1} times", intake)

    def _get(self, size: int, intake: Intake) -> bytes | None:
        """The body of a page; None when it broke off, which the transport does not retry itself."""
        import requests

        parameters = {"format": "json", "fields": ",".join(PIECES), "pageSize": str(size)}
        if self.query is not None:
            parameters["query.term"] = self.query
        parameters |= {"countTotal": "true"} if self._token is None else {"pageToken": self._token}
        url = f"{self.api_url.rstrip('/')}/studies"
        try:
            answer = self._session.get(
                url, params=parameters, timeout=(self.patience.connect_s, self.patience.read_s), stream=True
            )
        except requests.RequestException as error:
            self._fail(f"no answer ({_cause(error)})", intake)
        with answer:
            try:
                content = answer.content
            except requests.RequestException:
                return None
        if answer.status_code != 200:
            said = " ".join(content[:300].decode("utf-8", "replace").split())[:200]
            self._fail(f"HTTP {answer.status_code}{': ' + said if said else ''}", intake)
        return content

    def _fail(self, what: str, intake: Intake) -> NoReturn:
        raise RegistryFailed(
            f"{self.where}: {what}. {intake.records:,} studies had been read, none is kept. Check the query and the "
            "address, or try again later"
        ) from None


def _cause(error: BaseException) -> str:
    """What lies at the bottom of a transport error: its message may quote the address, so only its kind is told."""
    while (inner := getattr(error, "reason", None) or (error.args[0] if error.args else None)) is not None:
        if not isinstance(inner, BaseException):
            break
        error = inner
    return type(error).__name__
