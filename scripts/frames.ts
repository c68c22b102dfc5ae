/**
 * One frame of each kind that a venue sends and that becomes events, in its
 * documented shape: what the member tables of `docs/venues.md` are made from.
 */

/** A frame, and what the page calls it. */
export type Sample = readonly [kind: string, frame: string]

const stream = (name: string, data: string): string => `{"stream":"${name}","data":${data}}`

const coinbase = (channel: string, events: string): string =>
  `{"channel":"${channel}","timestamp":"2026-09-30T02:39:59.615767928Z","sequence_num":249,"events":[${events}]}`

const deribit = (channel: string, data: string): string =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${channel}","data":${data}}}`

const dydx = (type: string, channel: string, contents: string, id = "\"id\":\"BTC-USD\","): string =>
  `{"type":"${type}","connection_id":"9a75aff4","message_id":23,${id}"channel":"${channel}",` +
  `"version":"1.0.0","contents":${contents}}`

const kraken = (channel: string, type: string, row: string): string =>
  `{"channel":"${channel}","type":"${type}","data":[${row}]}`

const krakenBook = "{\"symbol\":\"BTC/USD\",\"bids\":[{\"price\":43250.1,\"qty\":0.50000000}]," +
  "\"asks\":[{\"price\":43250.3,\"qty\":0.75000000}],\"checksum\":2439117997," +
  "\"timestamp\":\"2026-11-25T12:00:05.440295Z\"}"

const quotes =
  "\"best_bid_price\":43250.5,\"best_bid_amount\":120.0,\"best_ask_price\":43251.0,\"best_ask_amount\":80.0"

const deribitFrames: ReadonlyArray<Sample> = [
  [
    "`trades.…`",
    deribit(
      "trades.BTC-PERPETUAL.100ms",
      "[{\"trade_seq\":74405,\"trade_id\":\"48079262\",\"timestamp\":1795219200123,\"price\":43250.5,\"amount\":20.0," +
        "\"direction\":\"sell\",\"instrument_name\":\"BTC-PERPETUAL\"}]"
    )
  ],
  [
    "`ticker.…`, `incremental_ticker.…`",
    deribit(
      "ticker.BTC-PERPETUAL.100ms",
      "{\"instrument_name\":\"BTC-PERPETUAL\",\"timestamp\":1795219200123,\"last_price\":43250.5," +
        `"stats":{"volume":1234.5},${quotes}}`
    )
  ],
  [
    "`quote.…`",
    deribit(
      "quote.BTC-PERPETUAL",
      `{"instrument_name":"BTC-PERPETUAL","timestamp":1795219200123,${quotes}}`
    )
  ],
  ...([["snapshot", "new", ""], ["change", "change", "\"prev_change_id\":297217,"]] as const).map((
    [type, action, more]
  ): Sample => [
    `\`book.…\`, \`${type}\``,
    deribit(
      "book.BTC-PERPETUAL.100ms",
      `{"type":"${type}","timestamp":1795219200123,${more}"instrument_name":"BTC-PERPETUAL","change_id":297218,` +
        `"bids":[["${action}",43250.5,120.0]],"asks":[["${action}",43251.0,80.0]]}`
    )
  ]),
  [
    "`book.…`, grouped",
    deribit(
      "book.BTC-PERPETUAL.none.10.100ms",
      "{\"timestamp\":1795219200123,\"instrument_name\":\"BTC-PERPETUAL\",\"change_id\":297218," +
        "\"bids\":[[43250.5,120.0]],\"asks\":[[43251.0,80.0]]}"
    )
  ],
  ["`heartbeat`", "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"type\":\"heartbeat\"}}"],
  ["the answer to a subscription", "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":[\"ticker.BTC-PERPETUAL.100ms\"]}"],
  ["`error`", "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":10028,\"message\":\"too_many_requests\"}}"]
]

/** The frames, by venue. */
export const frames: Readonly<Record<string, ReadonlyArray<Sample>>> = {
  coinbase: [
    [
      "`market_trades`",
      coinbase(
        "market_trades",
        "{\"type\":\"update\",\"trades\":[{\"product_id\":\"BTC-USD\",\"trade_id\":\"1100253573\",\"price\":\"83320.66\"," +
          "\"size\":\"0.0041608\",\"time\":\"2026-09-30T02:39:59.416138Z\",\"side\":\"SELL\"}]}"
      )
    ],
    [
      "`ticker`, `ticker_batch`",
      coinbase(
        "ticker",
        "{\"type\":\"update\",\"tickers\":[{\"type\":\"ticker\",\"product_id\":\"BTC-USD\",\"price\":\"83320.66\"," +
          "\"volume_24_h\":\"16038.28\",\"best_bid\":\"83320.65\",\"best_bid_quantity\":\"0.21\",\"best_ask\":\"83320.67\"," +
          "\"best_ask_quantity\":\"0.43\"}]}"
      )
    ],
    ...(["snapshot", "update"] as const).map((type): Sample => [
      `\`l2_data\`, \`${type}\``,
      coinbase(
        "l2_data",
        `{"type":"${type}","product_id":"BTC-USD","updates":[` +
          "{\"side\":\"bid\",\"price_level\":\"83320.65\",\"new_quantity\":\"0.21\"}," +
          "{\"side\":\"offer\",\"price_level\":\"83320.67\",\"new_quantity\":\"0.43\"}]}"
      )
    ]),
    ["`heartbeats`", coinbase("heartbeats", "{\"heartbeat_counter\":139651}")],
    ["`subscriptions`", coinbase("subscriptions", "{\"subscriptions\":{\"level2\":[\"BTC-USD\"]}}")],
    ["`error`", "{\"type\":\"error\",\"message\":\"authentication failure\"}"]
  ],
  "coinbase-exchange": [
    [
      "`match`, `last_match`",
      "{\"type\":\"match\",\"trade_id\":17,\"side\":\"sell\",\"size\":\"0.0500\",\"price\":\"43250.10\"," +
      "\"product_id\":\"BTC-USD\",\"sequence\":50,\"time\":\"2026-11-25T12:00:05.028459Z\"}"
    ],
    [
      "`ticker`",
      "{\"type\":\"ticker\",\"sequence\":37475248783,\"product_id\":\"BTC-USD\",\"price\":\"43250.10\"," +
      "\"volume_24h\":\"245532.79\",\"best_bid\":\"43250.00\",\"best_bid_size\":\"0.46\",\"best_ask\":\"43250.20\"," +
      "\"best_ask_size\":\"1.56\",\"time\":\"2026-11-25T12:00:05.061769Z\"}"
    ],
    [
      "`snapshot`",
      "{\"type\":\"snapshot\",\"product_id\":\"BTC-USD\",\"bids\":[[\"43250.00\",\"0.45\"]]," +
      "\"asks\":[[\"43250.20\",\"0.57\"]],\"time\":\"2026-11-25T12:00:05.010758Z\"}"
    ],
    [
      "`l2update`",
      "{\"type\":\"l2update\",\"product_id\":\"BTC-USD\",\"changes\":[[\"buy\",\"43250.00\",\"0.45\"]," +
      "[\"sell\",\"43250.20\",\"0.57\"]],\"time\":\"2026-11-25T12:00:05.010758Z\"}"
    ],
    ["`heartbeat`", "{\"type\":\"heartbeat\",\"sequence\":90,\"last_trade_id\":20,\"product_id\":\"BTC-USD\"}"],
    [
      "`subscriptions`",
      "{\"type\":\"subscriptions\",\"channels\":[{\"name\":\"matches\",\"product_ids\":[\"BTC-USD\"]}]}"
    ],
    ["`error`", "{\"type\":\"error\",\"message\":\"Failed to subscribe\",\"reason\":\"X-Y is not a valid product\"}"]
  ],
  binance: [
    ...([["trade", "t"], ["aggTrade", "a"]] as const).map(([kind, id]): Sample => [
      `\`${kind}\``,
      `{"e":"${kind}","s":"BTCUSDT","${id}":12345,"p":"43250.10","q":"0.0500","T":1672515782136,"m":true}`
    ]),
    [
      "`24hrTicker`",
      "{\"e\":\"24hrTicker\",\"E\":1672515782136,\"s\":\"BTCUSDT\",\"c\":\"43250.10\",\"b\":\"43250.00\",\"B\":\"0.46\"," +
      "\"a\":\"43250.20\",\"A\":\"1.56\",\"v\":\"10000.0\"}"
    ],
    [
      "`bookTicker`",
      "{\"u\":400900217,\"s\":\"BTCUSDT\",\"b\":\"43250.00\",\"B\":\"0.46\",\"a\":\"43250.20\",\"A\":\"1.56\"," +
      "\"T\":1672515782136}"
    ],
    [
      "`depthUpdate`",
      "{\"e\":\"depthUpdate\",\"E\":1672515782136,\"s\":\"BTCUSDT\",\"U\":157,\"u\":160,\"pu\":149," +
      "\"b\":[[\"43250.00\",\"10\"]],\"a\":[[\"43250.20\",\"100\"]]}"
    ],
    [
      "partial book, in its stream",
      stream(
        "btcusdt@depth20",
        "{\"lastUpdateId\":160,\"bids\":[[\"43250.00\",\"10\"]],\"asks\":[[\"43250.20\",\"100\"]]}"
      )
    ],
    ["`result`", "{\"result\":null,\"id\":1}"],
    ["`error`", "{\"error\":{\"code\":2,\"msg\":\"Invalid request: invalid stream\"},\"id\":2}"]
  ],
  kraken: [
    [
      "`trade`",
      kraken(
        "trade",
        "update",
        "{\"symbol\":\"BTC/USD\",\"side\":\"buy\",\"price\":43250.1,\"qty\":0.05000000,\"trade_id\":4665846," +
          "\"timestamp\":\"2026-11-25T12:00:05.440295Z\"}"
      )
    ],
    [
      "`ticker`",
      kraken(
        "ticker",
        "update",
        "{\"symbol\":\"BTC/USD\",\"bid\":43250.1,\"bid_qty\":0.50000000,\"ask\":43250.3,\"ask_qty\":0.75000000," +
          "\"last\":43250.2,\"volume\":997038.98,\"timestamp\":\"2026-11-25T12:00:05.440295Z\"}"
      )
    ],
    ["`book`, `snapshot`", kraken("book", "snapshot", krakenBook)],
    ["`book`, `update`", kraken("book", "update", krakenBook)],
    ["`heartbeat`", "{\"channel\":\"heartbeat\"}"],
    [
      "`subscribe`",
      "{\"method\":\"subscribe\",\"result\":{\"channel\":\"book\",\"symbol\":\"BTC/USD\"},\"success\":true,\"req_id\":7}"
    ],
    [
      "a refusal",
      "{\"error\":\"Currency pair not supported X/Y\",\"method\":\"subscribe\",\"success\":false,\"req_id\":7}"
    ]
  ],
  deribit: deribitFrames,
  // Its perpetuals name their currency.
  "coinbase-derivatives": deribitFrames.map(([kind, frame]) => [kind, frame.replaceAll("BTC-PERP", "BTC_USDC-PERP")]),
  hyperliquid: [
    [
      "`trades`",
      "{\"channel\":\"trades\",\"data\":[{\"coin\":\"BTC\",\"side\":\"B\",\"px\":\"43250.0\",\"sz\":\"0.00016\"," +
      "\"time\":1785251456343,\"tid\":447757798903687}]}"
    ],
    [
      "`bbo`",
      "{\"channel\":\"bbo\",\"data\":{\"coin\":\"BTC\",\"time\":1785251522090,\"bbo\":[{\"px\":\"43250.0\",\"sz\":\"0.28\"}," +
      "{\"px\":\"43251.0\",\"sz\":\"1.24\"}]}}"
    ],
    [
      "`l2Book`",
      "{\"channel\":\"l2Book\",\"data\":{\"coin\":\"BTC\",\"time\":1785251522090,\"levels\":[" +
      "[{\"px\":\"43250.0\",\"sz\":\"0.28\"}],[{\"px\":\"43251.0\",\"sz\":\"1.24\"}]]}}"
    ],
    ["`allMids`", "{\"channel\":\"allMids\",\"data\":{\"mids\":{\"BTC\":\"43250.5\"}}}"],
    ["`pong`", "{\"channel\":\"pong\"}"],
    [
      "`subscriptionResponse`",
      "{\"channel\":\"subscriptionResponse\",\"data\":{\"method\":\"subscribe\",\"subscription\":{\"type\":\"trades\"," +
      "\"coin\":\"BTC\"}}}"
    ],
    ["`error`", "{\"channel\":\"error\",\"data\":\"Invalid subscription\"}"]
  ],
  dydx: [
    [
      "`v4_trades`",
      dydx(
        "channel_data",
        "v4_trades",
        "{\"trades\":[{\"id\":\"01a2b3\",\"size\":\"0.05\",\"price\":\"43250.1\",\"side\":\"BUY\"," +
          "\"createdAt\":\"2026-11-25T12:00:05.440Z\"}]}"
      )
    ],
    [
      "`v4_orderbook`, `subscribed`",
      dydx(
        "subscribed",
        "v4_orderbook",
        "{\"bids\":[{\"price\":\"43250\",\"size\":\"0.5\"}],\"asks\":[{\"price\":\"43251\",\"size\":\"0.7\"}]}"
      )
    ],
    [
      "`v4_orderbook`, `channel_data`",
      dydx("channel_data", "v4_orderbook", "{\"bids\":[[\"43250\",\"0.5\"]],\"asks\":[[\"43251\",\"0.7\"]]}")
    ],
    [
      "`v4_markets`, `channel_data`",
      dydx(
        "channel_data",
        "v4_markets",
        "{\"oraclePrices\":{\"BTC-USD\":{\"oraclePrice\":\"43250.5\",\"effectiveAt\":\"2026-11-25T12:00:05.440Z\"}}}",
        ""
      )
    ],
    ["`pong`", "{\"type\":\"pong\"}"],
    ["`unsubscribed`", "{\"type\":\"unsubscribed\",\"channel\":\"v4_trades\",\"id\":\"BTC-USD\",\"message_id\":23}"],
    ["`error`", "{\"type\":\"error\",\"message\":\"Invalid channel: x\",\"message_id\":23}"]
  ],
  generic: [
    ["a price", "{\"product_id\":\"BTC-USD\",\"price\":\"45000.50\",\"timestamp\":\"2025-10-28T12:00:00Z\"}"],
    ["`subscribed`", "{\"type\":\"subscribed\",\"product_ids\":[\"BTC-USD\"]}"],
    ["`unsubscribed`", "{\"type\":\"unsubscribed\",\"product_ids\":[\"BTC-USD\"]}"],
    ["`heartbeat`, `ping`, `pong`", "{\"type\":\"heartbeat\"}"],
    ["`error`", "{\"type\":\"error\",\"code\":4,\"message\":\"no such product\"}"]
  ]
}
