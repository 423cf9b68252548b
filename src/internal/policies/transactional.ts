/**
 * `Route.transactional`.
 */
import * as Effect from "effect/Effect"
import * as SqlClient from "effect/sql/SqlClient"
import type { Handler } from "../../Handler.ts"
import { ServiceUnavailable } from "../../HttpError.ts"
import * as Policy from "./policy.ts"

/** A failure of the handler, apart from those of the transaction. */
class Own<E> {
  readonly error: E
  constructor(error: E) {
    this.error = error
  }
}

const inTransaction = <E, R>(handler: Handler<E, R>): Handler<E | ServiceUnavailable, R | SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (sql) =>
    Effect.mapError(sql.withTransaction(Effect.mapError(handler, (error) => new Own(error))), (error) =>
      error instanceof Own ? error.error : new ServiceUnavailable({ cause: error })
    )
  )

/**
 * Runs the handler, with the middleware applied before this, in a transaction of the `SqlClient`: committed when it has succeeded, before
 * the first byte is sent; rolled back when it fails or dies, and when it is interrupted, by a `timeout`, a client that left or a server
 * that stops. A response with an error status is a success: to roll back, fail. A stream runs after the commit, outside of it.
 *
 * Inside another transaction it is a savepoint.
 *
 * @errors ServiceUnavailable (503) when the transaction cannot begin or commit
 */
export const transactional: Policy.Policy<ServiceUnavailable, SqlClient.SqlClient> = Policy.make(
  "transactional",
  true,
  inTransaction,
  [ServiceUnavailable]
)
