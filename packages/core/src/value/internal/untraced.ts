/**
 * Errors without the stack of who made them.
 *
 * @since 0.1.0
 */

// Core is compiled without the types of a runtime; V8 has this property.
const StackTraces = Error as ErrorConstructor & { stackTraceLimit?: number }

/**
 * Makes an error that is an ordinary outcome, whose stack says nothing: without
 * one it costs a fifth, and a thousand connections may be dropped at once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const untraced = <A>(make: () => A): A => {
  const limit = StackTraces.stackTraceLimit
  if (limit === undefined) return make()
  StackTraces.stackTraceLimit = 0
  try {
    return make()
  } finally {
    StackTraces.stackTraceLimit = limit
  }
}
