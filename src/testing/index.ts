/**
 * Clients for tests of apps. `served`, which runs a test in memory and on a port, is in `effect-web/testing/Served`: it needs vitest.
 *
 * ```ts
 * import { Testing } from "effect-web/testing"
 * ```
 */
export * as Testing from "./Testing.ts"
