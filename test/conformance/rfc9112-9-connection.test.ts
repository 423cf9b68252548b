/**
 * Connections: how long they live, and pipelines.
 *
 * @spec RFC 9112 §9
 */
import { type Row, table } from "./table.ts"

const bad = "400 Bad Request"
const get = (path: string, head = ""): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${head}\r\n`
const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`

const options: ReadonlyArray<Row> = [
  ["close", get("/", "Connection: close\r\n"), "200 OK", "closed"],
  ["close in any case", get("/", "connection: CLOSE\r\n"), "200 OK", "closed"],
  ["close in a list", get("/", "Connection: x, close , y\r\n"), "200 OK", "closed"],
  ["close on its second line", get("/", "Connection: x\r\nConnection: close\r\n"), "200 OK", "closed"],
  ["a word that contains close", get("/", "Connection: disclose\r\n"), "200 OK", "kept"],
  [
    "keep-alive is not repeated",
    get("/", "Connection: keep-alive\r\n"),
    "200 OK",
    "kept",
    { headers: { connection: undefined } }
  ],
  [
    "keep-alive in a list",
    get("/", "Connection: Keep-Alive, x\r\n"),
    "200 OK",
    "kept",
    { headers: { connection: undefined } }
  ],
  ["keep-alive and close", get("/", "Connection: keep-alive, close\r\n"), "200 OK", "closed"],
  [
    "keep-alive and close under HTTP/1.0",
    "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n",
    "200 OK",
    "closed"
  ],
  [
    "close and keep-alive on two lines under HTTP/1.0",
    "GET / HTTP/1.0\r\nHost: a\r\nConnection: Close\r\nConnection: Keep-Alive\r\n\r\n",
    "200 OK",
    "closed"
  ],
  [
    "keep-alive and a word that contains close under HTTP/1.0",
    "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, x-close\r\n\r\n",
    "200 OK",
    "kept"
  ],
  [
    "Keep-Alive of the client",
    get("/", "Connection: keep-alive\r\nKeep-Alive: timeout=5, max=100\r\n"),
    "200 OK",
    "kept"
  ],
  ["an unknown option", get("/", "Connection: x\r\n"), "200 OK", "kept"],
  ["an empty list", get("/", "Connection:\r\n"), "200 OK", "kept"],
  [
    "an upgrade to WebSocket where there is none",
    get("/", "Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    "200 OK",
    "kept",
    { headers: { upgrade: undefined } }
  ],
  [
    "an upgrade to h2c",
    get("/", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
    "200 OK",
    "kept"
  ],
  [
    "an upgrade with a body",
    "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n\r\nabc",
    "200 OK",
    "kept",
    { body: "abc" }
  ],
  [
    "nothing behind a request that closes is answered",
    `${get("/", "Connection: close\r\n")}${get("/probe")}`,
    "200 OK",
    "closed",
    { body: "home" }
  ],
  ["an error closes when it is asked to", get("/unknown", "Connection: close\r\n"), "404 Not Found", "closed"],
  [
    "a stream closes when it is asked to",
    get("/stream", "Connection: close\r\n"),
    "200 OK",
    "closed",
    { body: "one,two,three" }
  ],
  [
    "an answer with a Connection of its own closes when it is asked to",
    get("/upgrade", "Connection: close\r\n"),
    "426 Upgrade Required",
    "closed",
    { headers: { connection: "upgrade, close", upgrade: "websocket" } }
  ],
  [
    "an answer with a Connection of its own closes under HTTP/1.0",
    "GET /upgrade HTTP/1.0\r\nHost: a\r\n\r\n",
    "426 Upgrade Required",
    "closed"
  ],
  ["an answer with a Connection of its own keeps", get("/upgrade"), "426 Upgrade Required", "kept"],
  ["404 keeps", get("/unknown"), "404 Not Found", "kept"],
  ["405 keeps", post("/", ""), "405 Method Not Allowed", "kept"]
]

table("RFC 9112 §9.3 persistence", options)

const twenty = Array.from({ length: 20 }, () => "200 OK")

const pipelines: ReadonlyArray<Row> = [
  ["two requests", get("/") + get("/stream"), ["200 OK", "200 OK"], "kept", { body: "one,two,three" }],
  ["a slow one before a fast one", get("/slow") + get("/"), ["200 OK", "200 OK"], "kept", { body: "home" }],
  ["twenty slow ones", get("/slow").repeat(20), twenty, "kept", { body: "slow" }],
  ["bodies between", post("/echo", "a") + post("/echo", "b"), ["200 OK", "200 OK"], "kept", { body: "b" }],
  [
    "a body that is not read between",
    post("/ignore", "a") + post("/echo", "b"),
    ["200 OK", "200 OK"],
    "kept",
    { body: "b" }
  ],
  [
    "a body that looks like a request",
    post("/ignore", get("/secret")) + get("/"),
    ["200 OK", "200 OK"],
    "kept",
    { body: "home" }
  ],
  [
    "HEAD between",
    `HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${get("/")}`,
    ["200 OK", "200 OK"],
    "kept",
    { methods: ["HEAD", "GET"], body: "home" }
  ],
  [
    "errors of the app between",
    get("/unknown") + post("/", "") + get("/"),
    ["404 Not Found", "405 Method Not Allowed", "200 OK"],
    "kept"
  ],
  ["junk behind good ones", `${get("/")}${get("/")}junk\r\n\r\n`, ["200 OK", "200 OK", bad], "closed"],
  ["junk behind a slow one", `${get("/slow")}junk\r\n\r\n`, ["200 OK", bad], "closed"],
  ["junk behind a stream", `${get("/stream")}junk\r\n\r\n`, ["200 OK", bad], "closed"],
  [
    "junk behind slow ones",
    `${get("/slow")}${get("/slow")}${get("/")}junk\r\n\r\n`,
    ["200 OK", "200 OK", "200 OK", bad],
    "closed"
  ],
  ["a bad Host behind a slow one", `${get("/slow")}GET / HTTP/1.1\r\n\r\n`, ["200 OK", bad], "closed"],
  [
    "a bad chunk behind a slow one",
    `${get("/slow")}POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n`,
    ["200 OK", bad],
    "closed"
  ],
  [
    "a bad chunk behind slow ones",
    `${get("/slow")}${get("/slow")}POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n`,
    ["200 OK", "200 OK", bad],
    "closed"
  ],
  [
    "CONNECT behind a slow one",
    `${get("/slow")}CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n`,
    ["200 OK", "405 Method Not Allowed"],
    "closed"
  ],
  [
    "what is behind CONNECT is never read",
    `CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n${get("/")}`,
    "405 Method Not Allowed",
    "closed"
  ],
  [
    "an unknown expectation behind a slow one",
    `${get("/slow")}${get("/", "Expect: x\r\n")}`,
    ["200 OK", "417 Expectation Failed"],
    "kept"
  ]
]

table("RFC 9112 §9.3.2 pipelines", pipelines)
