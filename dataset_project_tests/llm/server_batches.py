"""Files and batches of the loopback server: upload, create, poll, output and error files.

A batch goes through validating, in_progress and finalizing with time. Its files list lines in an order of their own.
"""

from __future__ import annotations

import json
import random
import time
from hashlib import blake2b
from typing import Any

from dataset_project_tests.llm.server_errors import error
from dataset_project_tests.llm.server_models import Models
from dataset_project_tests.llm.server_protocol import Request, response

_FINAL = ("completed", "failed", "expired", "cancelled")


class Batches:
    def __init__(self, models: Models):
        self._models = models
        self._files: dict[str, dict[str, Any]] = {}
        self._contents: dict[str, bytes] = {}
        self._batches: dict[str, dict[str, Any]] = {}

    def handle(self, request: Request, path: str) -> bytes:
        parts = path.split("/")[2:]  # files, id, content
        status, value = self._files_of(request, parts) if parts[0] == "files" else self._batches_of(request, parts)
        self._models.journal.append((time.time(), path, status, "", "", "", "", (0, 0)))
        if status != 200:
            return error(status, value)[1]
        return response(200, value if isinstance(value, bytes) else json.dumps(value).encode())

    def _files_of(self, request: Request, parts: list[str]) -> tuple[int, Any]:
        if len(parts) == 1:
            if request.method == "POST":
                fields = form(request)
                return 200, self._keep(fields["file"], fields.get("purpose", b"").decode())
            return 200, {"object": "list", "data": list(self._files.values()), "has_more": False}
        if parts[1] not in self._files:
            return 404, f"No such File object: {parts[1]}"
        if len(parts) == 3:
            return 200, self._contents[parts[1]]
        if request.method == "DELETE":
            del self._files[parts[1]], self._contents[parts[1]]
            return 200, {"id": parts[1], "object": "file", "deleted": True}
        return 200, self._files[parts[1]]

    def _keep(self, content: bytes, purpose: str) -> dict[str, Any]:
        name = f"file-{len(self._files) + 1}-{blake2b(content, digest_size=4).hexdigest()}"
        self._contents[name] = content
        self._files[name] = {
            "id": name,
            "object": "file",
            "bytes": len(content),
            "created_at": int(time.time()),
            "filename": f"{purpose}.jsonl",
            "purpose": purpose,
            "status": "processed",
        }
        return self._files[name]

    def _batches_of(self, request: Request, parts: list[str]) -> tuple[int, Any]:
        if len(parts) == 1:
            if request.method == "POST":
                return self._create(json.loads(request.body))
            return 200, {"object": "list", "data": [self._advanced(batch) for batch in self._batches.values()]}
        batch = self._batches.get(parts[1])
        if batch is None:
            return 404, f"No batch found with id '{parts[1]}'."
        if len(parts) == 3 and parts[2] == "cancel" and batch["status"] not in _FINAL:
            batch |= {"status": "cancelled", "cancelled_at": int(time.time())}
        return 200, self._public(self._advanced(batch))

    def _create(self, asked: dict[str, Any]) -> tuple[int, Any]:
        name = asked.get("input_file_id")
        if name not in self._files:
            return 400, f"No such File object: {name}"
        batch = {
            "id": f"batch_{len(self._batches) + 1}",
            "object": "batch",
            "endpoint": asked.get("endpoint"),
            "errors": None,
            "input_file_id": name,
            "completion_window": asked.get("completion_window"),
            "status": "validating",
            "output_file_id": None,
            "error_file_id": None,
            "created_at": int(time.time()),
            "request_counts": {"total": 0, "completed": 0, "failed": 0},
            "metadata": asked.get("metadata"),
            "_begun": time.monotonic(),
        }
        self._batches[batch["id"]] = batch
        return 200, self._public(batch)

    def _public(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in batch.items() if not name.startswith("_")}

    def _advanced(self, batch: dict[str, Any]) -> dict[str, Any]:
        """The batch as it stands now."""
        if batch["status"] in _FINAL:
            return batch
        lines = self._contents[batch["input_file_id"]].splitlines()
        problems = _problems(lines, batch["endpoint"])
        if problems or self._models.options.batch_outcome == "failed":
            data = [{"code": "invalid_request", "message": text, "line": line} for line, text in problems]
            batch |= {"status": "failed", "errors": {"object": "list", "data": data}, "failed_at": int(time.time())}
            return batch
        age = (time.monotonic() - batch["_begun"]) / max(self._models.options.batch_s, 1e-9)
        if age < 1:
            batch["request_counts"] = {"total": len(lines), "completed": int(age * len(lines)), "failed": 0}
            batch["status"] = "validating" if age < 0.2 else "in_progress" if age < 0.9 else "finalizing"
            return batch
        self._finish(batch, [json.loads(line) for line in lines])
        return batch

    def _finish(self, batch: dict[str, Any], lines: list[dict[str, Any]]) -> None:
        options = self._models.options
        order = list(range(len(lines)))
        random.Random(options.seed).shuffle(order)
        expired = set(order[len(order) // 2 :]) if options.batch_outcome == "expired" else set()
        missing = set(order[: options.batch_missing])
        done, failed = [], []
        for place in order:
            if place in missing:
                continue
            if place in expired:
                reason = {"code": "batch_expired", "message": "This request could not be executed in time."}
                failed.append(_line(lines[place], None, reason))
                continue
            status, body = self._answer(lines[place], place)
            (done if status == 200 else failed).append(_line(lines[place], (status, body), None))
        for name, rows in (("output_file_id", done), ("error_file_id", failed)):
            if rows:
                batch[name] = self._keep(b"".join(json.dumps(row).encode() + b"\n" for row in rows), "output")["id"]
        batch["request_counts"] = {"total": len(lines), "completed": len(done), "failed": len(failed)}
        batch["status"] = "expired" if expired else "completed"
        batch[f"{batch['status']}_at"] = int(time.time())

    def _answer(self, line: dict[str, Any], place: int) -> tuple[int, Any]:
        """One line's answer: scripted faults hold for it, and a share fails."""
        if random.Random(f"{self._models.options.seed}/{line['custom_id']}").random() < (
            self._models.options.batch_error_share
        ):
            return 500, {"error": {"message": "The server had an error", "type": "server_error", "code": None}}
        request = Request("POST", line["url"], b"", json.dumps(line["body"]).encode())
        wire = self._models.handle(request).wire
        head, _, body = wire.partition(b"\r\n\r\n")
        if not head:
            return 500, {"error": {"message": "The server had an error", "type": "server_error", "code": None}}
        try:
            return int(head.split(b" ")[1]), json.loads(body)
        except ValueError:
            return 500, {"error": {"message": "The server had an error", "type": "server_error", "code": None}}


def _line(line: dict[str, Any], answer: tuple[int, Any] | None, reason: Any) -> dict[str, Any]:
    name = blake2b(line["custom_id"].encode(), digest_size=6).hexdigest()
    answered = None if answer is None else {"status_code": answer[0], "request_id": f"req_{name}", "body": answer[1]}
    return {"id": f"batch_req_{name}", "custom_id": line["custom_id"], "response": answered, "error": reason}


def _problems(lines: list[bytes], endpoint: str | None) -> list[tuple[int, str]]:
    """(line number, what is wrong with it), as the provider's validation finds them."""
    seen: set[str] = set()
    models: set[str] = set()
    problems = []
    for number, raw in enumerate(lines, start=1):
        try:
            line = json.loads(raw)
            name, url, model = line["custom_id"], line["url"], line["body"]["model"]
        except (ValueError, KeyError, TypeError):
            problems.append((number, "This line is not parseable as valid JSON with custom_id, url and body."))
            continue
        models.add(model)
        if name in seen:
            problems.append((number, f"The custom_id '{name}' was used before."))
        if url != endpoint:
            problems.append((number, f"The URL '{url}' is not the batch's endpoint."))
        if len(models) > 1:
            problems.append((number, "All requests of a batch must use the same model."))
        seen.add(name)
    return problems or ([] if lines else [(1, "The file is empty.")])


def form(request: Request) -> dict[str, bytes]:
    """Fields of a multipart/form-data body."""
    boundary = request.header(b"content-type").partition("boundary=")[2].strip('"').encode()
    fields = {}
    for part in request.body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        fields[name] = content.removesuffix(b"\r\n")
    return fields
