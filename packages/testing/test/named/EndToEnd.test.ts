/** The ten workflows from a price to what came of it that were named before there was any code, under their names. */
import { describe, it } from "@effect/vitest"
import * as VirtualStage from "../endToEnd/VirtualStage.ts"
import * as Workflows from "../endToEnd/Workflows.ts"

describe("End to end", () => {
  const play = VirtualStage.play

  it.effect("Signal → order flow (complete)", () => play(Workflows.signalToOrder))
  it.effect("Price feed → indicator → signal pipeline", () => play(Workflows.feedToSignal))
  it.effect("Multi-symbol concurrent trading", () => play(Workflows.manySymbols))
  it.effect("Position open → close cycle", () => play(Workflows.openToClose))
  it.effect("Portfolio consistency maintained", () => play(Workflows.consistency))
  it.effect("Error recovery (exchange fails)", () => play(Workflows.exchangeFails))
  it.effect("Error recovery (signal fails)", () => play(Workflows.signalFails))
  it.effect("Concurrent signal processing", () => play(Workflows.concurrentSignals))
  it.effect("Trade history recording", () => play(Workflows.history))
  it.effect("Metrics collection", () => play(Workflows.metrics))
})
