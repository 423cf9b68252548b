/** Where the bench speaks: the report to standard output, how far it is to standard error. */

export const print = (markdown: string): void => {
  if (markdown !== "") console.log(markdown)
}

export const progress = (line: string): void => console.error(line)

export const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))
