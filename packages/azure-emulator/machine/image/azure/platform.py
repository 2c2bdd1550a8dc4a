"""Emulates what Azure's platform offers a VM by HTTP, as far as cloud-init uses it.

169.254.169.254 is the metadata service (IMDS), with the content of /etc/rehearsal/instance.json. 168.63.129.16 is the agent's endpoint
(WireServer), to which cloud-init reports that the VM is ready; the last report is in /run/rehearsal/health.xml.

https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
"""

import json
import pathlib
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

IMDS = "169.254.169.254"
HEALTH = pathlib.Path("/run/rehearsal/health.xml")
INSTANCE = pathlib.Path("/etc/rehearsal/instance.json").read_text()
VM_ID = json.loads(INSTANCE)["compute"]["vmId"]

GOAL_STATE = f"""<?xml version="1.0" encoding="utf-8"?>
<GoalState>
  <Version>2012-11-30</Version>
  <Incarnation>1</Incarnation>
  <Machine><ExpectedState>Started</ExpectedState></Machine>
  <Container>
    <ContainerId>{VM_ID}</ContainerId>
    <RoleInstanceList>
      <RoleInstance><InstanceId>{VM_ID}</InstanceId><State>Started</State></RoleInstance>
    </RoleInstanceList>
  </Container>
</GoalState>
"""


class Platform(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if self.connection.getsockname()[0] == IMDS:
            self.metadata(url.path.rstrip("/"), query)
        elif url.path.rstrip("/") == "/machine" and query.get("comp") == ["goalstate"]:
            self.answer(200, GOAL_STATE, "text/xml")
        else:
            self.answer(404, "")

    def metadata(self, path, query):
        # So that no request gets through that a page or a proxy was made to send.
        if self.headers.get("Metadata", "").lower() != "true" or "X-Forwarded-For" in self.headers:
            self.answer(400, json.dumps({"error": "Bad request. Required metadata header not specified"}))
        elif path == "/metadata/instance" and "api-version" in query:
            self.answer(200, INSTANCE)
        elif path.startswith("/metadata/identity"):
            self.answer(400, json.dumps({"error": "invalid_request", "error_description": "Identity not found"}))
        else:
            self.answer(400 if path == "/metadata/instance" else 404, json.dumps({"error": "Bad request"}))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.connection.getsockname()[0] == IMDS or self.path != "/machine?comp=health":
            self.answer(404, "")
            return
        HEALTH.parent.mkdir(exist_ok=True)
        HEALTH.write_bytes(body)
        self.answer(200, "")

    def answer(self, status, text, content_type="application/json"):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("", 80), Platform)
subprocess.run(["systemd-notify", "--ready"], check=False)
server.serve_forever()
