"""aiohttp.web's static files without access log. Run with `python3 -I`: this file's name would shadow the package otherwise."""
import os

from aiohttp import web

app = web.Application()
app.router.add_static("/", os.environ["FILES"])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
