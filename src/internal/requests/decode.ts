/**
 * Decoding by Schema with failures that have an answer: 400 for params, query, headers and cookies, 422 for the body.
 *
 * ```ts
 * const decode = decoder(Schema.Struct({ page: Schema.FiniteFromString }), "query")
 * decode({ page: "x" }) // fails with BadRequest "Invalid query: page: Expected a finite number"
 * ```
 *
 * What the client sent is not repeated: neither by the messages of Effect, nor, below a Redacted, by those of a filter.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import * as HttpError from "../../HttpError.ts"

/** The part of a request that an issue is in. */
export type Place = HttpError.Issue["in"]

/** At most so many issues are reported: an answer is not to be many times larger than its request. */
export const MAX_ISSUES = 100

/**
 * Compiles a decoder. It reports every issue; with `errors: "first"` only one, for inputs so large that looking for all
 * would be a gift to an attacker. A decoding that does not wait gives an Exit.
 */
export function decoder<A, R>(
  schema: Schema.ConstraintDecoder<A, R>,
  where: "body"
): (input: unknown, errors?: "first" | "all") => Effect.Effect<A, HttpError.UnprocessableContent, R>
export function decoder<A, R>(
  schema: Schema.ConstraintDecoder<A, R>,
  where: Exclude<Place, "body">
): (input: unknown, errors?: "first" | "all") => Effect.Effect<A, HttpError.BadRequest, R>
export function decoder<A, R>(schema: Schema.ConstraintDecoder<A, R>, where: Place) {
  const parse = SchemaParser.decodeUnknownEffect(schema)
  const failed = (cause: Cause.Cause<SchemaIssue.Issue>) => Exit.failCause(toFailure(where, cause))
  return (input: unknown, errors: "first" | "all" = "all") => {
    const result = parse(input, { errors })
    if (!Exit.isExit(result)) return Effect.catchCause(result, failed)
    // The guard forgets the types of the effect that it narrows.
    return result._tag === "Success" ? result : failed(result.cause as Cause.Cause<SchemaIssue.Issue>)
  }
}

/**
 * Compiles how names and values become the record that a schema decodes: a name that occurs once has its value, or always
 * an array where the encoded side of the schema wants one. The record has a null prototype.
 */
export const recorder = (schema: Schema.Constraint) => {
  const isArray = arrayNames(SchemaAST.toEncoded(schema.ast))
  return <V extends string | object>(
    pairs: Iterable<readonly [string, V]>
  ): Readonly<Record<string, V | ReadonlyArray<V>>> => {
    const record: Record<string, V | Array<V>> = Object.create(null)
    for (const [name, value] of pairs) {
      const earlier = record[name]
      if (earlier === undefined) record[name] = isArray(name) ? [value] : value
      else if (Array.isArray(earlier)) earlier.push(value)
      else record[name] = [earlier, value]
    }
    return record
  }
}

/** Compiles whether the record of a schema may have a name, as far as its encoded side tells. */
export const knows = (schema: Schema.Constraint) => knownNames(SchemaAST.toEncoded(schema.ast))

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const toFailure = (where: Place, cause: Cause.Cause<SchemaIssue.Issue>) => {
  const make = (fields: { readonly text: string; readonly issues: ReadonlyArray<HttpError.Issue> }) =>
    Cause.fail(where === "body" ? new HttpError.UnprocessableContent(fields) : new HttpError.BadRequest(fields))
  const found = Cause.findError(cause)
  if (Result.isSuccess(found)) {
    const issues = format(hide(found.success, false))
      .issues.slice(0, MAX_ISSUES)
      .map(({ path = [], message }) => new HttpError.Issue({ in: where, path: path.map(toKey), message }))
    return make({ text: sentence(where, issues), issues })
  }
  // A recursive schema decodes by recursion, so that the depth of the input is what the stack bears
  return found.failure.reasons.some((reason) => Cause.isDieReason(reason) && isOverflow(reason.defect))
    ? make({ text: `Invalid ${where}: nested too deeply`, issues: [] })
    : found.failure
}

const isOverflow = (defect: unknown): boolean => defect instanceof RangeError && /call stack/.test(defect.message)

const toKey = (segment: unknown): string | number => (typeof segment === "number" ? segment : String(segment))

const sentence = (where: Place, issues: ReadonlyArray<HttpError.Issue>): string => {
  const first = issues
    .slice(0, 1)
    .flatMap(({ path, message }) => (path.length === 0 ? message : [path.join("."), message]))
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ""
  return `${[`Invalid ${where}`, ...first].join(": ")}${more}`
}

// Below a Redacted: a message computed from the value may contain it, one that a schema declares cannot
const hide = (issue: SchemaIssue.Issue, hidden: boolean): SchemaIssue.Issue => {
  switch (issue._tag) {
    case "Pointer":
      return new SchemaIssue.Pointer(issue.path, hide(issue.issue, hidden))
    case "Encoding":
      return new SchemaIssue.Encoding(issue.ast, hide(issue.issue, hidden || isRedacted(issue.ast)))
    case "Composite":
      return new SchemaIssue.Composite(
        issue.ast,
        Arr.map(issue.issues, (each) => hide(each, hidden))
      )
    case "AnyOf":
      return new SchemaIssue.AnyOf(
        issue.ast,
        issue.issues.map((each) => hide(each, hidden))
      )
    case "Filter": {
      const { expected, message } = issue.filter.annotations ?? {}
      if (!hidden) return issue
      const plain = new SchemaIssue.InvalidValue()
      return expected === undefined && message === undefined ? plain : new SchemaIssue.Filter(issue.filter, plain)
    }
    case "InvalidType":
      return hidden ? new SchemaIssue.InvalidType(issue.ast) : issue
    case "MissingKey":
      return issue
    default:
      return hidden ? new SchemaIssue.InvalidValue() : issue
  }
}

const isRedacted = (ast: SchemaAST.AST): boolean => {
  const representation: unknown = SchemaAST.isDeclaration(ast) ? ast.annotations?.representation : undefined
  return Predicate.hasProperty(representation, "id") && representation.id === "effect/schema/Redacted"
}

const knownNames = (ast: SchemaAST.AST): ((name: string) => boolean) => {
  if (SchemaAST.isSuspend(ast)) return knownNames(ast.thunk())
  if (SchemaAST.isUnion(ast)) {
    const members = ast.types.map(knownNames)
    return (name) => members.some((member) => member(name))
  }
  if (!SchemaAST.isObjects(ast) || ast.indexSignatures.length > 0) return () => true
  const known = new Set(ast.propertySignatures.map(({ name }) => name))
  return (name) => known.has(name)
}

const arrayNames = (ast: SchemaAST.AST): ((name: string) => boolean) => {
  if (SchemaAST.isSuspend(ast)) return arrayNames(ast.thunk())
  if (SchemaAST.isUnion(ast)) {
    const members = ast.types.map(arrayNames)
    return (name) => members.some((member) => member(name))
  }
  if (!SchemaAST.isObjects(ast)) return () => false
  const known = new Map(ast.propertySignatures.map(({ name, type }) => [name, wantsArray(type)]))
  const others = ast.indexSignatures.some(({ type }) => wantsArray(type))
  return (name) => known.get(name) ?? others
}

const wantsArray = (ast: SchemaAST.AST): boolean => {
  if (SchemaAST.isSuspend(ast)) return wantsArray(ast.thunk())
  if (!SchemaAST.isUnion(ast)) return SchemaAST.isArrays(ast)
  const members = ast.types.filter((type) => !SchemaAST.isUndefined(type))
  return members.length > 0 && members.every(wantsArray)
}
