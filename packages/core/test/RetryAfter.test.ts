import { assert, describe, it } from "@effect/vitest"
import * as RetryAfter from "@tickline/core/transport/RetryAfter"

describe("RetryAfter", () => {
  it("reads Retry-After in seconds and as a date", () => {
    const wait = (headers: Readonly<Record<string, string>>) => RetryAfter.millisOf(headers, 1_000)
    assert.strictEqual(wait({ "retry-after": " 7 " }), 7_000)
    assert.strictEqual(wait({ "retry-after": "9999999" }), 86_400_000)
    assert.strictEqual(wait({ "retry-after": "Thu, 01 Jan 1970 00:00:31 GMT" }), 30_000)
    const date = "Thu, 01 Jan 1970 00:00:11 GMT"
    assert.strictEqual(wait({ "retry-after": "Thu, 01 Jan 1970 00:00:31 GMT", date }), 20_000)
    assert.strictEqual(wait({ "retry-after": "Thu, 01 Jan 1970 00:00:00 GMT", date }), 0)
    assert.isUndefined(wait({ "retry-after": "1.5" }))
    assert.isUndefined(wait({ "retry-after": "Xyz, soon" }))
    assert.isUndefined(wait({}))
  })
})
