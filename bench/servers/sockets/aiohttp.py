"""aiohttp.web without access log. Run with `python3 -I`: this file's name would shadow the package otherwise."""
import json
import os
import resource

from aiohttp import WSMsgType, web

_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # as Node does by itself

routes = web.RouteTableDef()
room = set()


def is_message(value):
    if not isinstance(value, dict) or not isinstance(value.get("text"), str) or type(value.get("n")) is not int:
        return False
    prices = value.get("prices", [])
    return isinstance(prices, list) and all(is_price(price) for price in prices)


def is_price(value):
    return (
        isinstance(value, dict)
        and isinstance(value.get("symbol"), str)
        and isinstance(value.get("bid"), (int, float))
        and isinstance(value.get("ask"), (int, float))
        and isinstance(value.get("at"), str)
    )


async def messages(socket):
    async for frame in socket:
        value = json.loads(frame.data)
        if not is_message(value):
            await socket.close(code=1008)
            return
        yield value


@routes.get("/echo")
async def echo(request):
    socket = web.WebSocketResponse(heartbeat=30)
    await socket.prepare(request)
    async for message in messages(socket):
        await socket.send_str(json.dumps(message, separators=(",", ":")))
    return socket


@routes.get("/raw")
async def raw(request):
    socket = web.WebSocketResponse(heartbeat=30)
    await socket.prepare(request)
    async for frame in socket:
        if frame.type == WSMsgType.TEXT:
            await socket.send_str(frame.data)
    return socket


@routes.get("/room")
async def broadcast(request):
    socket = web.WebSocketResponse(heartbeat=30)
    await socket.prepare(request)
    room.add(socket)
    try:
        async for message in messages(socket):
            for member in [member for member in room if not member.closed]:
                await member.send_str(json.dumps(message, separators=(",", ":")))
    finally:
        room.discard(socket)
    return socket


app = web.Application()
app.add_routes(routes)
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None, backlog=1024)
