"""Stands in for the web process: answers /healthz and /readyz, and starts a child in a session of its own."""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        word = "degraded" if os.environ.get("ADMINSET_STUB_DIES") else "ok"
        body = json.dumps({"status": word, "parts": {"worker": word}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Keep the log short."""


# As ansible does: out of the process group, deaf to its parent's end.
subprocess.Popen(["/bin/sleep", "3600"], start_new_session=True)
HTTPServer(
    ("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Answer
).serve_forever()
