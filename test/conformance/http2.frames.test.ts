/**
 * HTTP/2 by the rules of RFC 9113: what a server says to frames, one table for a section.
 */
import * as H2 from "../server/http2/frames.ts"
import { post, type Row, rules } from "./http2Table.ts"

const { block, endHeaders, endStream, frame, get, head, settings, type, uint32 } = H2

const padded = 8
const priority = 0x20
const joined = (...parts: ReadonlyArray<Uint8Array>) => Buffer.concat(parts)
const bytes = (...values: ReadonlyArray<number>) => Buffer.from(values)
/** A head with more bytes in its block. */
const fields = (...more: ReadonlyArray<number>) =>
  frame(type.headers, endHeaders | endStream, 1, joined(block(get()), bytes(...more)))
/** A stream whose answer never comes. */
const waiting = head(1, get("/never"))

const tables: Readonly<Record<string, ReadonlyArray<Row>>> = {
  "§4.2 frame size": [
    ["a frame above SETTINGS_MAX_FRAME_SIZE", [frame(type.data, 0, 1, Buffer.alloc(16_385))], "goaway 6"],
    ["a PING that is not eight bytes", [frame(type.ping, 0, 0, Buffer.alloc(7))], "goaway 6"],
    ["SETTINGS that are no multiple of six bytes", [frame(type.settings, 0, 0, Buffer.alloc(5))], "goaway 6"],
    ["an unknown type of frame is ignored", [frame(99, 0, 0, Buffer.alloc(5)), head(1, get())], "200"],
    ["a RST_STREAM that is not four bytes", [waiting, frame(type.reset, 0, 1, Buffer.alloc(3))], "goaway 6"],
    ["a PRIORITY that is not five bytes", [waiting, frame(type.priority, 0, 1, Buffer.alloc(4))], "goaway 6"],
    ["a WINDOW_UPDATE that is not four bytes", [frame(type.window, 0, 0, Buffer.alloc(3))], "goaway 6"],
    ["a GOAWAY of seven bytes", [frame(type.goaway, 0, 0, Buffer.alloc(7))], "goaway 6"],
    ["an acknowledgment of SETTINGS with a payload", [frame(type.settings, 1, 0, Buffer.alloc(6))], "goaway 6"],
    ["unknown flags are ignored", [frame(type.ping, 0x10, 0, Buffer.alloc(8)), head(1, get())], "200"],
    ["the reserved bit of a stream is ignored", [reserved(head(1, get()))], "200"]
  ],
  "§4.3 header blocks": [
    [
      "a head in two frames",
      [
        frame(type.headers, endStream, 1, block(get().slice(0, 2))),
        frame(type.continuation, endHeaders, 1, block(get().slice(2)))
      ],
      "200"
    ],
    [
      "another frame inside of a head",
      [frame(type.headers, endStream, 1, block(get())), frame(type.ping, 0, 0, Buffer.alloc(8))],
      "goaway 1"
    ],
    [
      "a block that cannot be decoded",
      [frame(type.headers, endHeaders | endStream, 1, Buffer.from([0xff, 0xff, 0xff, 0xff]))],
      "goaway 9"
    ],
    ["an index that is in no table", [fields(0xff, 0x9f, 0x7f)], "goaway 9"],
    ["a name by an index that is in no table", [fields(0x7f, 0x80, 0x01, 1, 0x61)], "goaway 9"],
    ["Huffman with more than seven bits of padding", [fields(0, 1, 0x61, 0x82, 0x1f, 0xff)], "goaway 9"],
    ["Huffman with padding that is not of ones", [fields(0, 1, 0x61, 0x81, 0x18)], "goaway 9"],
    ["Huffman with the end of a string", [fields(0, 1, 0x61, 0x85, 0x1f, 0xff, 0xff, 0xff, 0xff)], "goaway 9"],
    ["the index 0", [frame(type.headers, endHeaders | endStream, 1, joined(block(get()), bytes(0x80)))], "goaway 9"],
    [
      "a table above SETTINGS_HEADER_TABLE_SIZE",
      [frame(type.headers, endHeaders | endStream, 1, joined(bytes(0x3f, 0xe2, 0x1f), block(get())))],
      "goaway 9"
    ],
    [
      "a new size of the table behind fields",
      [frame(type.headers, endHeaders | endStream, 1, joined(block(get()), bytes(0x20)))],
      "goaway 9"
    ],
    [
      "an unknown frame inside of a head",
      [frame(type.headers, endStream, 1, block(get())), frame(99, 0, 1, Buffer.alloc(1))],
      "goaway 1"
    ],
    [
      "CONTINUATION of another stream",
      [frame(type.headers, endStream, 1, block(get())), frame(type.continuation, endHeaders, 3)],
      "goaway 1"
    ]
  ],
  "§5.1 states of streams": [
    ["DATA on an idle stream", [frame(type.data, 0, 1, Buffer.alloc(1))], "goaway 1"],
    ["RST_STREAM on an idle stream", [frame(type.reset, 0, 1, uint32(8))], "goaway 1"],
    ["a stream of an even number", [head(2, get())], "goaway 1"],
    ["CONTINUATION without a head", [frame(type.continuation, endHeaders, 1, block(get()))], "goaway 1"],
    ["DATA behind the end of a stream", [head(1, get("/")), frame(type.data, 0, 1, Buffer.alloc(1))], "goaway 5"],
    ["HEADERS behind the end of a stream", [waiting, head(1, get())], "goaway 5"],
    ["WINDOW_UPDATE on an idle stream", [frame(type.window, 0, 1, uint32(1))], "goaway 1"],
    ["PRIORITY on an idle stream", [frame(type.priority, 0, 3, joined(uint32(0), bytes(16))), head(1, get())], "200"]
  ],
  "§6.1, §6.2 padding and priority": [
    [
      "a padded head",
      [
        frame(
          type.headers,
          endHeaders | endStream | padded,
          1,
          joined(bytes(5), block(get("/echo", "OPTIONS")), Buffer.alloc(5))
        )
      ],
      "204"
    ],
    [
      "a head that is all padding",
      [frame(type.headers, endHeaders | endStream | padded, 1, joined(bytes(255), block(get())))],
      "goaway 1"
    ],
    [
      "a padded body, without its padding",
      [
        head(1, post("3"), 0),
        frame(type.data, endStream | padded, 1, joined(bytes(5), Buffer.from("abc"), Buffer.alloc(5)))
      ],
      "200"
    ],
    [
      "a body that is all padding",
      [head(1, post("3"), 0), frame(type.data, endStream | padded, 1, joined(bytes(9), Buffer.from("abc")))],
      "goaway 1"
    ],
    [
      "a head with a priority",
      [frame(type.headers, endHeaders | endStream | priority, 1, joined(uint32(0), bytes(16), block(get())))],
      "200"
    ],
    [
      "a stream that depends on itself",
      [frame(type.headers, endHeaders | endStream | priority, 1, joined(uint32(1), bytes(16), block(get())))],
      "goaway 1"
    ]
  ],
  "§6.9 windows": [
    ["a window of a stream of zero more", [waiting, frame(type.window, 0, 1, uint32(0))], "goaway 1"],
    ["a window of a stream above 2^31-1", [waiting, frame(type.window, 0, 1, uint32(2 ** 31 - 1))], "goaway 3"],
    [
      "a window of a stream above 2^31-1 by SETTINGS",
      [settings([4, 0]), head(1, get("/never")), frame(type.window, 0, 1, uint32(2 ** 31 - 1)), settings([4, 1])],
      "goaway 3"
    ],
    [
      "more than the window of a stream",
      [head(1, get("/never"), 0), ...Array.from({ length: 5 }, () => frame(type.data, 0, 1, Buffer.alloc(16_384)))],
      "goaway 3"
    ]
  ],
  "§6 frames of the connection": [
    ["DATA on stream 0", [frame(type.data, 0, 0, Buffer.alloc(1))], "goaway 1"],
    ["RST_STREAM on stream 0", [frame(type.reset, 0, 0, uint32(8))], "goaway 1"],
    ["SETTINGS on a stream", [frame(type.settings, 0, 1)], "goaway 1"],
    ["GOAWAY on a stream", [frame(type.goaway, 0, 1, Buffer.alloc(8))], "goaway 1"],
    ["a SETTINGS_MAX_FRAME_SIZE below 2^14", [settings([5, 100])], "goaway 1"],
    ["a SETTINGS_MAX_FRAME_SIZE above 2^24-1", [settings([5, 2 ** 24])], "goaway 1"],
    [
      "a request behind a GOAWAY of the client",
      [frame(type.goaway, 0, 0, Buffer.alloc(8)), head(1, get())],
      "goaway 0"
    ],
    ["HEADERS on stream 0", [head(0, get())], "goaway 1"],
    ["PING on a stream", [frame(type.ping, 0, 1, Buffer.alloc(8))], "goaway 1"],
    // It must not be answered (§6.7): Node ends the connection.
    ["an acknowledgment of a PING that was not sent", [frame(type.ping, 1, 0, Buffer.alloc(8))], "goaway 2"],
    ["a GOAWAY with an unknown code", [frame(type.goaway, 0, 0, joined(uint32(0), uint32(255)))], "goaway 0"],
    ["PUSH_PROMISE of a client", [frame(5, endHeaders, 1, uint32(2))], "goaway 1"],
    ["a window of zero more", [frame(type.window, 0, 0, uint32(0))], "goaway 1"],
    ["a window above 2^31-1", [frame(type.window, 0, 0, uint32(2 ** 31 - 1))], "goaway 3"],
    ["SETTINGS_ENABLE_PUSH of 2", [settings([2, 2])], "goaway 1"],
    ["a SETTINGS_INITIAL_WINDOW_SIZE above 2^31-1", [settings([4, 2 ** 31])], "goaway 3"],
    ["an unknown setting is ignored", [settings([99, 1]), head(1, get())], "200"]
  ]
}

function reserved(frame: Buffer): Buffer {
  frame[5] = 0x80
  return frame
}

rules(tables)
