/** The hand-written check of the echo body, for the servers that bring no schema of their own. */
export const isPerson = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return false
  const { name, age, tags } = value as Record<string, unknown>
  return (
    typeof name === "string" &&
    Number.isInteger(age) &&
    Array.isArray(tags) &&
    tags.every((tag) => typeof tag === "string")
  )
}
