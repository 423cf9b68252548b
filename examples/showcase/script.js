// Sends what a button or a form describes, and shows the request and its answer as they are on the wire.
const output = document.querySelector("output")
const most = 4000
let running

const write = (text, className = "") => {
  const span = document.createElement("span")
  span.className = className
  span.textContent = text
  output.append(span)
}

const short = (text, length) =>
  text.length > length ? `${text.slice(0, length)}... (${text.length} characters)` : text
const lines = (headers) => [...headers].map(([name, value]) => `${name}: ${value}\n`).join("")
const kind = (status) => (status < 300 ? "ok" : status < 400 ? "moved" : status < 500 ? "failed" : "broken")

const showBody = async (body) => {
  let length = 0
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    if (length < most) write(text.slice(0, most - length))
    length += text.length
  }
  if (length > most) write(`\n... ${length} characters in all`, "quiet")
}

const part = ([name, value]) => `${name}: ${value instanceof File ? `${value.name} (${value.size} bytes)` : value}\n`

const show = async ({ body, headers = {}, leaveAfter, method = "GET", path }, leaving) => {
  output.replaceChildren()
  output.scrollTop = 0
  write(`${method} ${short(path, 200)}\n${lines(Object.entries(headers))}`, "quiet")
  if (body instanceof FormData) write(`\n${[...body].map(part).join("")}`, "quiet")
  else if (body !== undefined) write(`\n${short(body, 300)}\n`, "quiet")
  write("\n")
  const timer = leaveAfter === undefined ? undefined : setTimeout(() => leaving.abort(), leaveAfter)
  try {
    const response = await fetch(path, { method, headers, body, signal: leaving.signal, cache: "no-store" })
    write(`${response.status} ${response.statusText}\n`, `status ${kind(response.status)}`)
    write(`${lines(response.headers)}\n`, "quiet")
    if (response.body !== null) await showBody(response.body)
  } catch (error) {
    if (running === leaving) write(leaving.signal.aborted ? "\nThis client has left." : String(error), "status failed")
  }
  clearTimeout(timer)
}

// Whoever presses the next thing leaves what still runs.
const send = async (request) => {
  const leaving = new AbortController()
  const before = running
  running = leaving
  before?.abort()
  output.dataset.state = "waiting"
  await show(request, leaving)
  if (running === leaving) output.dataset.state = "done"
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-request]")
  if (button === null || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  document.querySelector("[aria-current]")?.removeAttribute("aria-current")
  button.setAttribute("aria-current", "true")
  send(JSON.parse(button.dataset.request))
})

document.addEventListener("submit", (event) => {
  const { action, dataset, enctype, method } = event.target
  event.preventDefault()
  const fields = new URLSearchParams(new FormData(event.target))
  const path = new URL(action).pathname
  if (method === "get") return send({ path: `${path}?${fields}` })
  if (enctype === "multipart/form-data") return send({ method: "POST", path, body: new FormData(event.target) })
  const isJson = dataset.as === "json"
  send({
    method: "POST",
    path,
    headers: { "content-type": isJson ? "application/json" : "application/x-www-form-urlencoded" },
    body: isJson ? JSON.stringify(Object.fromEntries(fields)) : String(fields)
  })
})
