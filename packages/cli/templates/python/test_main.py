"""Run: python3 -m unittest, in this folder."""

import hashlib
import json
import os
import tempfile
import threading
import unittest
from contextlib import redirect_stdout
from io import StringIO
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import main


class ServiceTest(unittest.TestCase):
    def setUp(self):
        self.server = main.create_server(0, "127.0.0.1")
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def get(self, path, **headers):
        with urlopen(Request(self.url + path, headers=headers)) as response:
            return response.read()

    def test_answers_docker_the_gateway_and_prometheus(self):
        for path in ("/healthz", "/readyz", "/openapi.json"):
            json.loads(self.get(path))
        self.assertIn(b"http_requests_total ", self.get("/metrics"))

    def test_serves_every_documented_path(self):
        for path in json.loads(self.get("/openapi.json"))["paths"]:
            json.loads(self.get(path))

    def test_answers_404_for_other_paths(self):
        with self.assertRaises(HTTPError) as raised:
            self.get("/nothing")
        self.assertEqual(raised.exception.code, 404)
        raised.exception.close()

    def test_admits_only_callers_to_internal_routes(self):
        with tempfile.NamedTemporaryFile("w") as callers:
            callers.write(f"orders {hashlib.sha256(b'secret').hexdigest()}\n")
            callers.flush()
            os.environ["CALLERS_FILE"] = callers.name
            json.loads(self.get("/internal/items", authorization="Bearer secret"))
            for headers in ({}, {"authorization": "Bearer other"}):
                with self.assertRaises(HTTPError) as raised:
                    self.get("/internal/items", **headers)
                self.assertEqual(raised.exception.code, 401)
                raised.exception.close()

    def test_logs_json_lines(self):
        with redirect_stdout(StringIO()) as output:
            self.get("/api/example-service/items")
            main.log("info", "done")
        for line in output.getvalue().splitlines():
            self.assertIn("msg", json.loads(line))


if __name__ == "__main__":
    unittest.main()
