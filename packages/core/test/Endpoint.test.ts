import { assert, describe, it } from "@effect/vitest"
import * as Address from "@tickline/core/transport/Address"
import * as Endpoint from "@tickline/core/transport/Endpoint"
import type { DialRequest } from "@tickline/core/transport/Transport"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

const all = { headers: true, ping: true, pause: true, handshakeStatus: true }
const secret = Redacted.make("s3cret")

const request = (change: Partial<DialRequest>): DialRequest => ({
  url: "wss://venue.example/feed",
  headers: {},
  protocols: [],
  maxMessageBytes: 1,
  inboundBytes: 1,
  deflate: false,
  plaintextHosts: [],
  ...change
})

const refusal = (change: Partial<DialRequest>, capabilities = all): string | undefined => {
  const checked = Endpoint.check(request(change), capabilities)
  return Result.isFailure(checked) ? checked.failure.reason.message : undefined
}

describe("Endpoint", () => {
  it("takes a URL with every part, and lays the secrets open", () => {
    const url = "WSS://me:p%40ss@Venue.example:8443/ws/v2?token=a@b"
    const protocols = ["v1.venue", Redacted.make("bearer.abc")]
    const checked = Endpoint.check(request({ url, headers: { "X-Key": secret, Accept: "*/*" }, protocols }), all)
    assert.deepStrictEqual(Result.getOrUndefined(checked), {
      url,
      isSecure: true,
      headers: { "X-Key": "s3cret", Accept: "*/*" },
      protocols: ["v1.venue", "bearer.abc"]
    })
    const plain = Endpoint.check(request({ url: "ws://localhost" }), all)
    assert.strictEqual(Result.getOrUndefined(plain)?.isSecure, false)
  })

  const urls: ReadonlyArray<readonly [url: string, fault: string | undefined]> = [
    ["wss://venue.example", undefined],
    ["wss://venue.example?a=b", undefined],
    ["wss://venue.example/a b", "not a URL"],
    ["wss://venue.example/a\u0085b", "not a URL"],
    ["wss://[::1]:1/", undefined],
    ["wss://[::1/", "not a URL"],
    ["wss://bücher.example/", undefined],
    ["wss://a_b.example/", undefined],
    ["wss://venue.example:65535/", undefined],
    ["wss://venue.example:65536/", "not a URL"],
    ["wss://venue.example:/", "not a URL"],
    ["wss://venue%2eexample/", "not a URL"],
    ["wss://@venue.example/", undefined],
    ["wss://a@b@venue.example/", undefined],
    ["wss://venue.example/#", "it holds a fragment"],
    ["http://venue.example/", "the scheme is http, expected ws or wss"],
    ["ftp://venue.example/", "not a URL"],
    ["xwss://venue.example/", "not a URL"],
    ["wss://", "not a URL"],
    ["", "not a URL"]
  ]
  for (const [url, fault] of urls) {
    it(`${JSON.stringify(url)}: ${fault ?? "a URL"}`, () => {
      const found = Endpoint.urlFault(url)
      if (fault === undefined) assert.isUndefined(found)
      else assert.include(found, fault)
      assert.strictEqual(refusal({ url }) === undefined, fault === undefined)
    })
  }

  it("shows of a URL scheme, host and port, and of what is none nothing", () => {
    assert.strictEqual(
      Address.origin("WSS://me:s3cret@Venue.example:8443/s3cret?s3cret#s3cret"),
      "wss://venue.example:8443"
    )
    assert.strictEqual(Address.origin("https://a@b@venue.example"), "https://venue.example")
    assert.strictEqual(Address.origin("wss://venue.example./feed"), "wss://venue.example")
    assert.strictEqual(Address.origin(" wss://me:s3cret@venue.example"), "(unreadable URL)")
  })

  it("tells where a peer has moved to, as far as that may be shown", () => {
    const key = "k".repeat(32)
    for (
      const [location, shown] of [
        ["https://me:s3cret@new.example:444/v2/x?token=s3cret", "https://new.example:444/v2/x"],
        ["//new.example/v2", "ws://new.example/v2"],
        ["/v2/", "ws://old.example:1/v2/"],
        ["/", "ws://old.example:1/"],
        ["wss://new.example", "wss://new.example"],
        ["wss://new.example/v2/listen-k3y/x/ws//", "wss://new.example/v2/…/x/…//"],
        [`/v2/a${key}/b`, "ws://old.example:1/v2/…/b"],
        ["v2", "(unreadable URL)"],
        ["wss:/me:s3cret@new.example", "(unreadable URL)"],
        [`/${"y".repeat(31)}/`.repeat(9), `ws://old.example:1/${`${"y".repeat(31)}//`.repeat(9)}`.slice(0, 200)]
      ] as const
    ) {
      assert.strictEqual(Address.movedTo(location, "ws://me:s3cret@old.example:1/ws/listen-k3y/?token=s3cret"), shown)
    }
    assert.strictEqual(Address.movedTo("/v2", " ws://old.example"), "(unreadable URL)")
  })

  it("a secret travels in the clear to loopback and to hosts that are named, however they are written", () => {
    const secrets: ReadonlyArray<Partial<DialRequest>> = [
      { headers: { "X-Key": secret } },
      { headers: { Accept: "*/*", "X-Key": secret, "X-Other": "x" }, protocols: ["v1"] },
      { protocols: [secret] }
    ]
    for (const held of secrets) {
      for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.1", "127.255.255.254", "[::1]", "[::1]:80"]) {
        assert.isUndefined(refusal({ ...held, url: `ws://${host}/` }), host)
      }
      for (
        const host of [
          "venue.example",
          "127.0.0.1.example",
          "x127.0.0.1",
          "127",
          "128.0.0.1",
          "[::2]",
          "localhost.example"
        ]
      ) {
        const named = host.replace(/^\[|\]$/g, "")
        assert.include(refusal({ ...held, url: `ws://${host}/` }), `a secret would travel to ${named} unencrypted`)
        assert.isUndefined(refusal({ ...held, url: `wss://${host}/` }), host)
        for (const allowed of [host, named, named.toUpperCase()]) {
          assert.isUndefined(
            refusal({ ...held, url: `ws://${host}/`, plaintextHosts: ["other.example", allowed] }),
            allowed
          )
        }
      }
    }
    assert.include(refusal({ url: "ws://me:s3cret@venue.example" }), "unencrypted")
    assert.isUndefined(refusal({ url: "ws://venue.example", headers: { Accept: "*/*" }, protocols: ["v1"] }))
  })

  const values: ReadonlyArray<readonly [value: string, fault: string | undefined]> = [
    ["", undefined],
    ["a", undefined],
    ["a \t~\u0080\u00ff", undefined],
    ["a\rb", "it holds a line break"],
    ["a\nb", "it holds a line break"],
    ["a\0", "it holds a control character or one beyond Latin-1"],
    ["a\u001f", "it holds a control character or one beyond Latin-1"],
    ["a\u007f", "it holds a control character or one beyond Latin-1"],
    ["a\u0100", "it holds a control character or one beyond Latin-1"],
    [" a", "it begins or ends with white space"],
    ["\ta", "it begins or ends with white space"],
    ["a ", "it begins or ends with white space"],
    ["a\t", "it begins or ends with white space"]
  ]
  for (const [value, fault] of values) {
    it(`as a header's value ${JSON.stringify(value)}: ${fault ?? "fit"}`, () => {
      assert.strictEqual(Endpoint.headerFault(value), fault)
      for (const held of [value, Redacted.make(value)]) {
        assert.strictEqual(
          refusal({ headers: { Accept: "*/*", "X-Key": held } }),
          fault === undefined ? undefined : `bad header X-Key: its value cannot be sent: ${fault}`
        )
      }
    })
  }

  it("names of headers and subprotocols are tokens, and no subprotocol stands there twice", () => {
    for (const name of ["", "a b", "a:b", "ä", "a\n"]) {
      assert.strictEqual(
        refusal({ headers: { [name]: "x" } }),
        "bad header: its name holds what HTTP does not allow there"
      )
      assert.include(refusal({ protocols: ["v1", name] }), "a subprotocol holds what HTTP does not allow there")
    }
    assert.isUndefined(refusal({ headers: { "x!#$%&'*+-.^_`|~09Az": "x" }, protocols: ["a", "b"] }))
    assert.strictEqual(
      refusal({ protocols: ["a", "b", Redacted.make("a")] }),
      "bad header Sec-WebSocket-Protocol: a subprotocol stands there twice"
    )
  })

  it("a transport that sends no headers refuses any, by name", () => {
    const none = { ...all, headers: false }
    assert.include(refusal({ headers: { A: "x", B: secret } }, none), "a browser sends no headers (A, B)")
    assert.isUndefined(refusal({}, none))
    assert.include(refusal({ url: "x", headers: { A: "x" } }, none), "bad URL")
  })
})
