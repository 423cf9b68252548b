/**
 * Clients for tests of apps.
 *
 * ```ts
 * import { Testing } from "effect-web/testing"
 * ```
 */
export * as Testing from "./Testing.ts"
