/**
 * What a store of records fails with.
 *
 * ```ts
 * new RecordStoreError({ cause })
 * ```
 */
import * as HttpError from "../../HttpError.ts"

/** A store could not be reached, or answered wrongly (503). The log has the cause, as a warning; the client is told nothing of it. */
export class RecordStoreError extends HttpError.define<RecordStoreError>()("RecordStoreError", { status: 503 }) {}
