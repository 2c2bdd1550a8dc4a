"""A service of the store. Its contract with the gateway is in docs/adding-a-service.md."""

import hashlib
import json
import os
import signal
import socket
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

OPENAPI = (Path(__file__).parent / "openapi.json").read_bytes()
JSON = "application/json"

requests = 0
requests_lock = threading.Lock()


def log(level, message, **fields):
    line = {"time": datetime.now(timezone.utc).isoformat(), "level": level, "msg": message, **fields}
    print(json.dumps(line), flush=True)


def encoded(body):
    return json.dumps(body).encode()


def metrics():
    return f"# TYPE http_requests_total counter\nhttp_requests_total {requests}\n".encode()


def caller_of(authorization):
    """Returns the name of the service whose token this is: a line of CALLERS_FILE has the token's hash. None if it is nobody's."""
    token = authorization.removeprefix("Bearer ")
    digest = hashlib.sha256(token.encode()).hexdigest()
    # Read for each request, because callers may be added while the service runs.
    for line in Path(os.environ["CALLERS_FILE"]).read_text().splitlines():
        name, _, accepted = line.partition(" ")
        if accepted == digest:
            return name
    return None


ROUTES = {
    "/healthz": (JSON, lambda: encoded({"status": "ok"})),
    "/readyz": (JSON, lambda: encoded({"status": "ok"})),
    "/metrics": ("text/plain; version=0.0.4", metrics),
    "/openapi.json": (JSON, lambda: OPENAPI),
    "/api/example-service/openapi.json": (JSON, lambda: OPENAPI),
    "/api/example-service/items": (JSON, lambda: encoded({"items": []})),
    # For the services that have this one in their dependsOn. The gateway routes nothing under /internal/.
    "/internal/items": (JSON, lambda: encoded({"items": []})),
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Closes idle and slow connections.
    timeout = 30

    def do_GET(self):
        global requests
        with requests_lock:
            requests += 1
        started = time.monotonic()
        route = self.path.split("?")[0]
        kind, body = ROUTES.get(route, (None, None))
        if body is None:
            self.answer(404, "application/problem+json", encoded({"title": "Not Found", "status": 404}))
            return
        if route.startswith("/internal/") and caller_of(self.headers.get("authorization", "")) is None:
            self.answer(401, "application/problem+json", encoded({"title": "Unauthorized", "status": 401}))
            return
        self.answer(200, kind, body())
        if route not in ("/readyz", "/metrics"):
            log("info", "request", route=route, ms=round((time.monotonic() - started) * 1000))

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Replaces http.server's log, which isn't JSON and has clients' addresses."""


class Server(ThreadingHTTPServer):
    # Connections that wait to be accepted.
    request_queue_size = 128
    daemon_threads = True


def create_server(port, host="0.0.0.0"):
    return Server((host, port), Handler)


def main():
    server = create_server(int(os.environ["PORT"]))

    def drain(*_):
        # Goes on serving until the gateway has noticed.
        time.sleep(float(os.environ.get("DRAIN_SECONDS", "1")))
        server.shutdown()

    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=drain).start())
    log("info", "listening", port=server.server_port, host=socket.gethostname())
    server.serve_forever()
    log("info", "stopped")


if __name__ == "__main__":
    main()
