/**
 * The page: groups of cards, each with requests to try. Everything is inside, so that it works without a network.
 */
import * as Fs from "node:fs"
import { Html, html } from "effect-web"

/** A request that a button sends; its answer is shown beside. Plain GETs are links too, for browsers without scripts. */
export interface Try {
  readonly label: string
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Leaves after so many milliseconds, without waiting for the answer. */
  readonly leaveAfter?: number
  /** Leaves the page for the answer. */
  readonly open?: boolean
}

/** What one capability is, and how to try it. */
export interface Card {
  readonly title: string
  readonly text: Html.Html
  /** The example that shows its code: a file of `examples/`. */
  readonly example: string
  readonly tries: ReadonlyArray<Try>
  /** Controls of its own: a form, say. */
  readonly control?: Html.Html
}

/** Cards that belong together. */
export interface Group {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly cards: ReadonlyArray<Card>
}

const read = (name: string) => Html.raw(Fs.readFileSync(new URL(name, import.meta.url), "utf8"))
const style = html`${["ground.css", "cards.css", "wire.css"].map(read)}`
const script = read("script.js")

const tryOut = ({ label, ...request }: Try): Html.Html => {
  const method = request.method ?? "GET"
  const content = html`<span class="method" data-method="${method}">${method}</span> ${label}`
  if (request.open === true) return html`<a class="try leaves" href="${request.path}">${content}</a>`
  const data = JSON.stringify(request)
  return method === "GET" && request.headers === undefined && request.leaveAfter === undefined
    ? html`<a class="try" href="${request.path}" data-request="${data}">${content}</a>`
    : html`<button type="button" class="try" data-request="${data}">${content}</button>`
}

const card = (group: string, { control, example, text, title, tries }: Card, index: number): Html.Html => {
  const id = `${group}-${index + 1}`
  return html`<article class="card" aria-labelledby="${id}">
    <header><h3 id="${id}">${title}</h3><a class="source" href="/source/${example}" aria-label="The code of ${title}">code</a></header>
    <p>${text}</p>
    ${control}
    <div class="tries">${tries.map(tryOut)}</div>
  </article>`
}

const section = ({
  cards,
  id,
  text,
  title
}: Group): Html.Html => html`<section id="${id}" aria-labelledby="${id}-title">
  <h2 id="${id}-title">${title}</h2>
  <p class="lead">${text}</p>
  <div class="cards">${cards.map((each, index) => card(id, each, index))}</div>
</section>`

/** The whole page. */
export const page = (groups: ReadonlyArray<Group>): Html.Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>effect-web: every capability, live</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the capabilities</a>
<header class="hero">
  <p class="brand">effect-web</p>
  <h1>One server, every capability, live</h1>
  <p>This page, and every answer on it, comes from the HTTP server library for Effect that you have just started. Press
  something, and see what goes over the wire; <em>code</em> opens the example that does it in a few lines.</p>
  <nav aria-label="Groups of capabilities">${groups.map(({ id, title }) => html`<a href="#${id}">${title}</a>`)}</nav>
</header>
<div class="layout">
<main id="main">${groups.map(section)}</main>
<aside class="wire" aria-labelledby="wire"><div>
<h2 id="wire">On the wire</h2>
<output aria-live="polite" tabindex="0" data-hint="Press something."></output>
</div></aside>
</div>
<footer><p>Stop the server with <kbd>Ctrl</kbd>+<kbd>C</kbd>: what is in flight is finished first.</p></footer>
<script>${script}</script>
</body>
</html>`
