/** Breakages of the room `value` of core. */
import type { Breakage } from "./Breakage.ts"

const named = "packages/testing/test/named"
const ofParsing = `${named}/Parsing.test.ts`

export const breakages: ReadonlyArray<Breakage> = [
  // the named tests: Parsing
  {
    name: "a float on the way",
    file: "packages/core/src/value/internal/decimal.ts",
    original: "if (digits <= exactDoubleDigits) return",
    replacement: "if (digits <= 40) return",
    test: [ofParsing, "decimal precision preservation"]
  },
  // the terminal
  {
    name: "what shows as nothing is left as it is",
    file: "packages/core/src/value/Printable.ts",
    original: "\\p{Zp}\\p{Default_Ignorable_Code_Point}]",
    replacement: "\\p{Zp}]",
    test: ["packages/core/test/Printable.test.ts", "escapes fillers"]
  },
  {
    name: "a decimal that was read lately is another one of its scale",
    file: "packages/core/src/value/internal/decimal.ts",
    original: "latelyValues[place] === value && known.scale === scale",
    replacement: "known.scale === scale",
    test: ["packages/core/test/Decimal.test.ts", "those that were read lately among them"]
  },
  {
    name: "of a long decimal what goes beyond a word is lost",
    file: "packages/core/src/value/internal/integer64.ts",
    original: "Math.floor(upper / 0x2_0000) + Math.floor(lower / wordSize)",
    replacement: "Math.floor(upper / 0x2_0000)",
    test: ["packages/core/test/Decimal.edges.test.ts", "on digits of any length"]
  },
  {
    name: "what is more than 64 bits is cut to them",
    file: "packages/core/src/value/internal/integer64.ts",
    original: "if (signed[0] !== value) return Number(value)",
    replacement: "",
    test: ["packages/core/test/Integer64.test.ts", "of any size"]
  },
  {
    name: "who takes back what waits is called all the same",
    file: "packages/core/src/value/internal/sharedTimer.ts",
    original: "    this.take(alarm)\n    if",
    replacement: "    if",
    test: ["packages/core/test/SharedTimer.test.ts", "calls nobody back"]
  },
  {
    name: "an alarm that is over keeps its neighbours",
    file: "packages/core/src/value/internal/sharedTimer.ts",
    original: "    alarm.next = alarm.previous = undefined\n",
    replacement: "",
    test: ["packages/core/test/SharedTimer.test.ts", "whoever keeps an alarm that is over"]
  },
  {
    name: "whoever waits equally long is called together",
    file: "packages/core/src/value/internal/sharedTimer.ts",
    original: "if (wait > 1e-6) return",
    replacement: "if (wait >= this.millis) return",
    test: ["packages/core/test/SharedTimer.test.ts", "calls each back when its own time"]
  },
  {
    name: "who waits is called back within the call that asks for it",
    file: "packages/core/src/value/internal/sharedTimer.ts",
    original: "Effect.flatMap(Effect.sleep(this.millis), () => this.sleep()))",
    replacement: "this.sleep())",
    test: ["packages/core/test/SharedTimer.test.ts", "calls nobody back before it has returned"]
  },
  {
    name: "a timer that nobody waits for keeps a process alive",
    file: "packages/core/src/value/internal/sharedTimer.ts",
    original: "    this.sleeper?.interruptUnsafe()\n",
    replacement: "",
    test: ["packages/core/test/SharedTimer.test.ts", "keeps nothing alive"]
  }
]
