/**
 * effect-web: the complete HTTP server library for Effect.
 *
 * ```ts
 * import { App, Response, Route, Server } from "effect-web"
 * Server.run(App.make({ home: Route.get("/", Effect.succeed(Response.text("Hello"))) }))
 * ```
 */
export * as App from "./App.ts"
export * as Body from "./Body.ts"
export * as ErrorResponse from "./ErrorResponse.ts"
export * as Handler from "./Handler.ts"
export * as Html from "./Html.ts"
/** The template tag, by its own name: it is written before every piece of markup. */
export { html } from "./Html.ts"
export * as HttpError from "./HttpError.ts"
export * as Proxy from "./handlers/Proxy.ts"
export * as StaticFiles from "./handlers/StaticFiles.ts"
export * as Pattern from "./http/Pattern.ts"
export * as Middleware from "./Middleware.ts"
export * as Multipart from "./Multipart.ts"
export * as AccessLog from "./middleware/AccessLog.ts"
export * as Auth from "./middleware/Auth.ts"
export * as Compression from "./middleware/Compression.ts"
export * as RateLimit from "./middleware/RateLimit.ts"
export * as RequestId from "./middleware/RequestId.ts"
export * as Outcome from "./Outcome.ts"
export * as RecordStore from "./RecordStore.ts"
export * as Redirect from "./Redirect.ts"
export * as Request from "./Request.ts"
export * as Response from "./Response.ts"
export * as Room from "./Room.ts"
export * as Route from "./Route.ts"
export * as Router from "./Router.ts"
export * as Sealed from "./Sealed.ts"
export * as Session from "./Session.ts"
export * as SignedUrl from "./SignedUrl.ts"
export * as Sse from "./Sse.ts"
export * as Server from "./server/Server.ts"
export * as Site from "./server/Site.ts"
export * as Sqlite from "./server/Sqlite.ts"
export * as WebSocket from "./WebSocket.ts"
