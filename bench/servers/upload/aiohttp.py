"""aiohttp.web's multipart reader, the file saved chunk by chunk as its page on uploads shows it. Run with `python3 -I`."""
import os
import uuid

from aiohttp import web

folder = os.environ["UPLOADS"]


async def upload(request):
    reader = await request.multipart()
    field = await reader.next()
    assert field.name == "title"
    title = await field.text()
    field = await reader.next()
    assert field.name == "file"
    size = 0
    with open(os.path.join(folder, str(uuid.uuid4())), "wb") as file:
        while True:
            chunk = await field.read_chunk()  # 8192 bytes by default.
            if not chunk:
                break
            size += len(chunk)
            file.write(chunk)
    return web.Response(text=f"{title} {size}")


app = web.Application()
app.add_routes([web.post("/upload", upload)])
web.run_app(app, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=None, print=None)
