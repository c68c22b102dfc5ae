/**
 * The steps of a connection and of a session, and by what each is seen: in a
 * program, in the log, in the metrics and in traces. `docs/operating.md` has
 * them as a table; `steps.test.ts` goes through them and sees each.
 */
import type * as ConnectError from "@tickline/core/connection/ConnectError"
import type * as ConnectionState from "@tickline/core/connection/ConnectionState"
import type * as Requests from "@tickline/core/connection/Requests"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import type * as Session from "@tickline/core/session/Session"

/** What a program sees: an event, a state, or how something failed. */
type Seen =
  | MarketEvent.AnyEvent["_tag"]
  | ConnectionState.ConnectionState["_tag"]
  | Session.SessionState["_tag"]
  | ConnectError.ConnectError["_tag"]
  | Requests.RequestError["_tag"]

export interface Step {
  readonly step: string
  readonly seen: ReadonlyArray<Seen>
  readonly log: ReadonlyArray<string>
  readonly metrics: ReadonlyArray<string>
  readonly spans: ReadonlyArray<string>
}

export const steps: ReadonlyArray<Step> = [
  {
    step: "connect",
    seen: ["Connecting", "Connected", "Connection"],
    log: ["connected"],
    metrics: ["tickline_dials_total", "tickline_connects_total", "tickline_connected", "tickline_dial_duration_ms"],
    spans: ["Connection.dial"]
  },
  {
    step: "upgrade",
    seen: ["DialError", "AuthError"],
    log: ["dial failed"],
    metrics: ["tickline_failures_total"],
    spans: ["Connection.dial"]
  },
  {
    step: "sign in",
    seen: ["SigningIn", "AuthError"],
    log: ["signed in", "sign-in renewed", "sign-in not renewed"],
    metrics: [
      "tickline_sign_ins_total",
      "tickline_renewals_total",
      "tickline_clock_offset_ms",
      "tickline_clock_uncertainty_ms",
      "tickline_clock_drift_ms"
    ],
    spans: ["Connection.signIn"]
  },
  {
    step: "subscribe",
    seen: ["Subscribed", "VenueError", "Stale"],
    log: ["subscription refused", "subscription does not deliver"],
    metrics: ["tickline_subscriptions_confirmed_total", "tickline_subscriptions_refused_total", "tickline_stale_total"],
    spans: ["Connection.restore", "Connection.resubscribe"]
  },
  {
    step: "restore",
    seen: ["Restoring", "RestoreFailed", "Gap"],
    log: ["connected", "dial failed"],
    metrics: ["tickline_outage_duration_ms", "tickline_failures_total"],
    spans: ["Connection.restore"]
  },
  {
    step: "reconcile",
    seen: ["Reconciling", "Live", "RestoreFailed"],
    log: ["connected", "dial failed"],
    metrics: ["tickline_reconciliations_total", "tickline_sessions_live"],
    spans: ["Connection.reconcile"]
  },
  {
    step: "heartbeat",
    seen: ["Heartbeat", "HeartbeatMissed"],
    log: ["pong missed", "consumer stalled", "event loop stalled"],
    metrics: [
      "tickline_heartbeats_answered_total",
      "tickline_heartbeats_missed_total",
      "tickline_round_trip_ms",
      "tickline_ping_round_trip_ms"
    ],
    spans: []
  },
  {
    step: "request",
    seen: ["NotSent", "OutcomeUnknown", "OutboxFull", "DuplicateRequest"],
    log: [],
    metrics: [
      "tickline_requests_total",
      "tickline_requests_not_sent_total",
      "tickline_requests_unknown_total",
      "tickline_requests_pending",
      "tickline_request_duration_ms",
      "tickline_unmatched_answers_total",
      "tickline_rpc_errors_total"
    ],
    spans: ["Connection.request"]
  },
  {
    step: "limit",
    seen: ["RateLimited", "InvalidCost"],
    log: [
      "dial held up by the limit",
      "limits are shared over Redis",
      "Redis is away: nothing that is limited is sent",
      "Redis is away: this process keeps the limits by itself",
      "Redis is new, or was restarted: what was spent before is waited out"
    ],
    metrics: [
      "tickline_dials_held_total",
      "tickline_outbox_waiting",
      "tickline_credits_left",
      "tickline_credit_waits_total",
      "tickline_credits_exhausted_total",
      "tickline_governor_available",
      "tickline_governor_admissions_total",
      "tickline_governor_lapsed_total",
      "tickline_governor_outages_total",
      "tickline_governor_resets_total",
      "tickline_governor_unshared_total"
    ],
    spans: []
  },
  {
    step: "receive",
    seen: ["FrameRejected", "Gap"],
    log: ["observer failed"],
    metrics: [
      "tickline_frames_total",
      "tickline_received_bytes_total",
      "tickline_events_total",
      "tickline_event_latency_ms",
      "tickline_data_age_ms",
      "tickline_rejections_total",
      "tickline_sequence_gaps_total",
      "tickline_missed_messages_total",
      "tickline_observer_errors_total",
      "tickline_output_dropped_total"
    ],
    spans: []
  },
  {
    step: "rotate",
    seen: ["Rotated"],
    log: ["rotated", "not rotated"],
    metrics: ["tickline_rotations_total"],
    spans: ["Connection.dial", "Connection.close"]
  },
  {
    step: "drop",
    seen: ["Dropped", "Reconnecting", "Gap"],
    log: ["dropped"],
    metrics: ["tickline_failures_total", "tickline_gaps_total", "tickline_unconfirmed_messages_total"],
    spans: []
  },
  {
    step: "retry",
    seen: ["Reconnecting", "Waiting"],
    log: ["reconnecting"],
    metrics: ["tickline_retries_total", "tickline_backoff_delay_ms"],
    spans: ["Connection.dial"]
  },
  {
    step: "breaker",
    seen: ["Breaker", "CircuitOpen"],
    log: ["circuit open"],
    metrics: [
      "circuit_breaker_state",
      "circuit_breaker_state_transitions_total",
      "circuit_breaker_failures_total",
      "circuit_breaker_rejected_total"
    ],
    spans: []
  },
  {
    step: "give up",
    seen: ["Failed", "ConnectionAborted"],
    log: ["gave up", "not connected"],
    metrics: ["tickline_give_ups_total"],
    spans: []
  },
  {
    step: "close",
    seen: ["Closing", "Disconnected"],
    log: ["closed"],
    metrics: ["tickline_connected", "tickline_sessions_live"],
    spans: ["Connection.close"]
  },
  {
    step: "signal",
    seen: ["Gap"],
    log: ["strategy failed"],
    metrics: [
      "tickline_candles_total",
      "tickline_late_trades_total",
      "tickline_signals_total",
      "tickline_strategy_failures_total"
    ],
    spans: []
  },
  {
    step: "actor",
    seen: [],
    log: [],
    metrics: [
      "tickline_actors",
      "tickline_actor_messages_total",
      "tickline_actor_handled_total",
      "tickline_actor_mailbox_depth",
      "tickline_actor_restarts_total",
      "tickline_dead_letters_total"
    ],
    spans: []
  },
  {
    step: "trade",
    seen: [],
    log: [
      "position opened",
      "position closed",
      "position not closed",
      "signal refused",
      "trader waits",
      "not reconciled",
      "accounts differ",
      "halted",
      "cleared",
      "alert",
      "alert over"
    ],
    metrics: [
      "tickline_trader_state",
      "tickline_trader_refusals_total",
      "tickline_trader_orders_total",
      "tickline_trader_order_ms",
      "tickline_trader_trades_total",
      "tickline_trader_errors_total",
      "tickline_trader_equity",
      "tickline_trader_realized",
      "tickline_trader_drawdown",
      "tickline_trader_exposure",
      "tickline_trader_lots",
      "tickline_trader_alert"
    ],
    spans: []
  }
]
