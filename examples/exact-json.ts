/**
 * Prices as they were sent: what `JSON.parse` makes of a frame's numbers, and
 * what the exact reader keeps of them.
 *
 * Run: npx -y pnpm@12 exec node examples/exact-json.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Decimal, ExactJson, Generic } from "@tickline/core"
import { Console, Effect } from "effect"

const texts = [
  "0.123456789012345678",
  "43250.10",
  "1.0e-8",
  "9007199254740993",
  "0.1000000000000000055511151231257827",
  "1e-400",
  "-0"
]

const program = Effect.gen(function*() {
  yield* Console.log(`${"sent".padEnd(38)}${"JSON.parse".padEnd(24)}Tickline`)
  for (const text of texts) {
    const frame = `{"price":${text}}`
    const json = ExactJson.parse(frame)
    // A number of the exact reader is its own text until something is made of it.
    if (json instanceof ExactJson.Malformed || !ExactJson.isObject(json)) continue
    const price = json.price
    const decimal = price instanceof ExactJson.JsonNumber ? Decimal.parse(price.text) : undefined
    const shown = decimal === undefined ? "not a number" : Decimal.format(decimal)
    const lossy = String(JSON.parse(frame).price)
    const kept = shown.length > 40 ? `${shown.slice(0, 9)}… (${shown.length} characters)` : shown
    yield* Console.log(`${text.padEnd(38)}${lossy.padEnd(24)}${kept}`)
  }

  // A venue does it for whole frames, and says what is wrong with those that it refuses.
  for (const price of ["45000.50", "\"45000.50\"", "\"ABC\"", "-1", "null"]) {
    const decoded = Generic.venue.decode(
      `{"product_id":"BTC-USD","price":${price},"timestamp":"2025-10-28T12:00:00Z"}`
    )
    if ("_tag" in decoded) {
      yield* Console.log(`price ${price}: ${decoded.reason} in ${decoded.field}: ${decoded.message}`)
      continue
    }
    for (const event of decoded) {
      if (event._tag === "PriceUpdate") yield* Console.log(`price ${price}: ${Decimal.format(event.price)}`)
    }
  }
})

NodeRuntime.runMain(program)
