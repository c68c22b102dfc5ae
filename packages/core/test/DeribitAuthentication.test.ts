import { assert, describe, it } from "@effect/vitest"
import * as Authentication from "@tickline/core/session/deribit/Authentication"
import * as Methods from "@tickline/core/session/deribit/Methods"
import * as Signer from "@tickline/core/session/Signer"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as JsonWriter from "../src/codec/internal/jsonWriter.ts"

const written = (params: Authentication.Params): unknown =>
  JSON.parse(JsonWriter.write(Schema.encodeSync(Methods.connection.auth.params)(params)))

describe("Authentication at Deribit", () => {
  it.effect("signs as the venue's own example does", () =>
    Effect.gen(function*() {
      const signer = yield* Effect.fromResult(Signer.hmacSha256(Redacted.make("AMANDASECRECT")))
      const asked = {
        clientId: "AMANDA",
        timestamp: Timestamp.fromEpochMillis(1_576_074_319_000),
        nonce: "1iqt2wls"
      }
      assert.deepStrictEqual(written(Authentication.signature(signer, asked)), {
        grant_type: "client_signature",
        client_id: "AMANDA",
        timestamp: 1_576_074_319_000,
        nonce: "1iqt2wls",
        data: "",
        signature: "56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1"
      })
      const other = Authentication.signature(signer, { ...asked, data: "more", scope: "session:a", state: "s" })
      assert.deepInclude(written(other), { data: "more", scope: "session:a", state: "s" })
      assert.notStrictEqual(
        Reflect.get(other, "signature"),
        Reflect.get(Authentication.signature(signer, asked), "signature")
      )
    }))

  it("shows the client's secret to the venue only", () => {
    const params = Authentication.credentials({
      clientId: "id",
      clientSecret: Redacted.make("s3cret"),
      scope: "trade:read"
    })
    assert.notInclude(JSON.stringify(params), "s3cret")
    assert.deepStrictEqual(written(params), {
      grant_type: "client_credentials",
      client_id: "id",
      client_secret: "s3cret",
      scope: "trade:read"
    })
  })

  it("renews by the token of the session", () => {
    assert.deepStrictEqual(written(Authentication.refresh(Redacted.make("r3fresh"))), {
      grant_type: "refresh_token",
      refresh_token: "r3fresh"
    })
  })
})
