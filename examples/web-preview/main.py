"""A web application with a live preview: it runs in a sandbox, without network, and a browser sees it under a URL of its own.

    ./stacyvm serve                          # in another terminal
    python examples/web-preview/main.py --wait   # leaves it running until Enter is pressed; open the URL in a browser
"""

import os
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from stacyvm import Client

address = os.environ.get("STACYVM_URL", "http://localhost:7423")

with Client(address, os.environ.get("STACYVM_API_KEY")) as client, client.spawn(ttl="30m") as sandbox:
    sandbox.upload(Path(__file__).parent / "app.py", "/workspace/app.py")
    process = sandbox.start_background("python3 app.py")
    for _ in range(100):
        if 8000 in [port.port for port in sandbox.ports()]:
            break
        time.sleep(0.1)
    else:
        sys.exit("".join(chunk.data for chunk in sandbox.process_output(process.process_id)))
    url = sandbox.get_preview_url(8000)
    print(f"open {url}")
    # Browsers find *.localhost by themselves; this program names the preview to the server's own address.
    page = urllib.request.Request(address, headers={"Host": urlsplit(url).netloc})
    print(urllib.request.urlopen(page, timeout=10).read().decode())
    if "--wait" in sys.argv:
        input("Enter ends it")
