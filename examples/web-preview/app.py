"""Runs inside the sandbox: a small web application, on port 8000."""
import http.server
import json


class Page(http.server.BaseHTTPRequestHandler):
    visits = 0

    def do_GET(self) -> None:
        Page.visits += 1
        body = (
            json.dumps({"path": self.path, "visits": Page.visits}).encode()
            if self.path == "/api"
            else b"<h1>It lives</h1>"
        )
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Page).serve_forever()
