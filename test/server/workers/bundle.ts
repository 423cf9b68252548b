/**
 * A program in one file, as it is deployed: a fifth of the time to start, and it can be replaced while it runs.
 */
import * as Path from "node:path"
import { rolldown } from "rolldown"

/** Bundles a program of the folder `programs` into a file. */
export const bundle = async (program: string, file: string): Promise<void> => {
  const built = await rolldown({
    input: Path.join(import.meta.dirname, "programs", program),
    platform: "node",
    resolve: { conditionNames: ["effect-web-source", "import", "node", "default"] }
  })
  await built.write({ file, format: "esm", codeSplitting: false })
  await built.close()
}
