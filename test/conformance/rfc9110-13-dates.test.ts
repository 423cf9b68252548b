/**
 * Conditions by date, as their fields come on the wire.
 *
 * @spec RFC 9110 §5.6.7, §13.1.3, §13.1.4
 */
import { type Row, table } from "./table.ts"

const get = (head: string, method = "GET"): string => `${method} /dated HTTP/1.1\r\nHost: a\r\n${head}\r\n`
const since = (date: string) => `If-Modified-Since: ${date}\r\n`
const unless = (date: string) => `If-Unmodified-Since: ${date}\r\n`

const same = "Sun, 09 Sep 2001 01:46:40 GMT"
const before = "Sun, 09 Sep 2001 01:46:39 GMT"

const notModified = "304 Not Modified"
const all = { body: "dated" }

const rows: ReadonlyArray<Row> = [
  ["If-Modified-Since the same date", get(since(same)), notModified, "kept", { body: "" }],
  ["If-Modified-Since with HEAD", get(since(same), "HEAD"), notModified, "kept", { methods: ["HEAD"] }],
  ["If-Modified-Since an earlier date", get(since(before)), "200 OK", "kept", all],
  ["the format of RFC 850", get(since("Sunday, 09-Sep-01 01:46:40 GMT")), notModified, "kept"],
  ["the format of C", get(since("Sun Sep  9 01:46:40 2001")), notModified, "kept"],
  ["If-Modified-Since that is no date is ignored", get(since("yesterday")), "200 OK", "kept", all],
  ["If-Modified-Since a list is ignored", get(since(`${same}, ${same}`)), "200 OK", "kept", all],
  ["If-Modified-Since on two lines is ignored", get(since(same) + since(same)), "200 OK", "kept", all],
  ["whatever the case of its name", get(since(same) + since(same).toLowerCase()), "200 OK", "kept", all],
  [
    "If-Modified-Since behind If-None-Match is ignored",
    get(`If-None-Match: "a"\r\n${since(same)}`),
    "200 OK",
    "kept",
    all
  ],
  ["If-Unmodified-Since the same date", get(unless(same)), "200 OK", "kept", all],
  ["If-Unmodified-Since an earlier date", get(unless(before)), "412 Precondition Failed", "kept"],
  ["If-Unmodified-Since that is no date is ignored", get(unless("yesterday")), "200 OK", "kept", all],
  ["If-Unmodified-Since a list is ignored", get(unless(`${before}, ${before}`)), "200 OK", "kept", all],
  ["If-Unmodified-Since on two lines is ignored", get(unless(before) + unless(before)), "200 OK", "kept", all]
]

table("RFC 9110 §13.1 dates", rows)
