"""The loopback server's process: routes, the admin paths, and its end when the parent ends.

Started by ``server.py`` as ``python -m dataset_project_tests.llm.server_main OPTIONS``; prints its port.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sys
import threading
from typing import Any

from dataset_project_tests.llm.server_batches import Batches
from dataset_project_tests.llm.server_errors import error
from dataset_project_tests.llm.server_models import Models
from dataset_project_tests.llm.server_options import Options
from dataset_project_tests.llm.server_protocol import Answer, HttpProtocol, Request, response


class App:
    def __init__(self, options: Options):
        self._models = Models(options)
        self._batches = Batches(self._models)

    def handle(self, request: Request) -> Answer:
        path = request.path.partition("?")[0]
        if path in ("/v1/chat/completions", "/v1/embeddings"):
            return self._models.handle(request)
        if path.startswith(("/v1/files", "/v1/batches")):
            return Answer(self._batches.handle(request, path))
        if path.startswith("/admin/"):
            return Answer(self._administer(path, request.body))
        if path == "/v1/models":
            models = [{"id": "model", "object": "model", "owned_by": "tests", "created": 0}]
            return Answer(_json({"object": "list", "data": models}))
        return Answer(error(404, f"Unknown request URL: {request.method} {path}.", "unknown_url")[1])

    def _administer(self, path: str, body: bytes) -> bytes:
        models = self._models
        if path == "/admin/journal":
            return _json(models.rows())
        if path == "/admin/bodies":
            return _json([json.loads(raw) for raw in models.bodies])
        if path == "/admin/cpu":
            used = resource.getrusage(resource.RUSAGE_SELF)
            return _json(used.ru_utime + used.ru_stime)
        if path == "/admin/reset":
            models.journal.clear()
            models.bodies.clear()
            models.configure(Options())
            return _json("done")
        changes = json.loads(body)
        try:
            options = models.options.changed(changes)
        except (TypeError, ValueError) as mistake:
            return response(400, str(mistake).encode())
        models.configure(options, new_faults="faults" in changes)
        return _json("done")


def _json(value: Any) -> bytes:
    return response(200, json.dumps(value).encode())


def _end_with_parent() -> None:
    sys.stdin.buffer.read()  # until the parent closes its end, or is gone
    os._exit(0)


async def _serve(app: App) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: HttpProtocol(app.handle), "127.0.0.1", 0, backlog=4096
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    app = App(Options(**json.loads(sys.argv[1])))
    gc.freeze()
    asyncio.run(_serve(app))


if __name__ == "__main__":
    main()
