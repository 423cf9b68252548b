"""aiohttp.web without access log. Run with `python3 -I`: this file's name would shadow the package otherwise."""
import os

from aiohttp import web

routes = web.RouteTableDef()


def is_person(value):
    return (
        isinstance(value, dict)
        and isinstance(value.get("name"), str)
        and type(value.get("age")) is int
        and isinstance(value.get("tags"), list)
        and all(isinstance(tag, str) for tag in value["tags"])
    )


@routes.get("/text")
async def text(request):
    return web.Response(text="Hello, World!")


@routes.get("/json")
async def json(request):
    return web.json_response({"message": "Hello, World!"})


@routes.get("/users/{id}")
async def user(request):
    return web.Response(text=f"user {request.match_info['id']}")


@routes.post("/echo")
async def echo(request):
    body = await request.json()
    if not is_person(body):
        raise web.HTTPUnprocessableEntity()
    return web.json_response(body)


app = web.Application()
app.add_routes(routes)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
