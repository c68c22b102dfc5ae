/**
 * Private methods of the account.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactSchema from "../../../codec/ExactSchema.ts"
import * as Method from "../Method.ts"
import { AccountSummary, Position, UserTrade } from "../Schemas.ts"
import { Kind } from "./enumerations.ts"
import { Count, currency, instrument, maybe, subaccount } from "./parameters.ts"

const { Boolean, Literals, NonEmptyString, String, Struct } = Schema
const { Integer, Millis } = ExactSchema

const sorted = {
  sorting: maybe(Literals(["asc", "desc", "default"])),
  historical: maybe(Boolean),
  ...subaccount
}

const listed = {
  count: maybe(Count),
  start_timestamp: maybe(Millis),
  end_timestamp: maybe(Millis),
  ...sorted
}

const UserTrades = Struct({ trades: Schema.Array(UserTrade), has_more: Boolean })

/**
 * The account's money, positions and trades.
 *
 * @category constants
 * @since 0.1.0
 */
export const account = {
  getAccountSummary: Method.make("private/get_account_summary", {
    kind: "query",
    params: Struct({ ...currency, extended: maybe(Boolean), ...subaccount }),
    result: AccountSummary
  }),
  getPositions: Method.make("private/get_positions", {
    kind: "query",
    params: Struct({
      currency: maybe(String),
      kind: maybe(Literals(["future", "option", "future_combo", "option_combo"])),
      ...subaccount
    }),
    result: Schema.Array(Position)
  }),
  getPosition: Method.make("private/get_position", {
    kind: "query",
    params: Struct(instrument),
    result: Position
  }),
  getUserTradesByOrder: Method.make("private/get_user_trades_by_order", {
    kind: "query",
    params: Struct({ order_id: String, ...sorted }),
    result: Schema.Array(UserTrade)
  }),
  getUserTradesByInstrument: Method.make("private/get_user_trades_by_instrument", {
    kind: "query",
    params: Struct({ ...instrument, start_seq: maybe(Integer), end_seq: maybe(Integer), ...listed }),
    result: UserTrades
  }),
  getUserTradesByCurrency: Method.make("private/get_user_trades_by_currency", {
    kind: "query",
    params: Struct({
      ...currency,
      kind: maybe(Literals([...Kind.literals, "combo", "any"])),
      start_id: maybe(NonEmptyString),
      end_id: maybe(NonEmptyString),
      ...listed
    }),
    result: UserTrades
  })
}
