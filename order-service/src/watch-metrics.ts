import { Counter, Gauge, type Registry } from "@prometheus-io/client";

/** What an operator sees of those who watch orders. */
export interface WatchMetrics {
  /** A stream was ended: its reader too slow, or its token no longer good. */
  cut(reason: "slow_reader" | "token"): void;
  /** A client was told to load the list again. */
  reset(): void;
}

/** What is looked at when the metrics are asked for. */
export interface WatchState {
  watchers(): number;
  /** How far behind those who watch are. */
  lagMs(): number;
}

export function registerWatchMetrics(registry: Registry, state: WatchState): WatchMetrics {
  const registers = [registry];
  new Gauge({
    name: "order_watchers",
    help: "Streams of changes of orders that are open",
    registers,
    collect() {
      this.set(state.watchers());
    },
  });
  new Gauge({
    name: "order_watch_lag_seconds",
    help: "Age of the oldest change not yet told to those who watch; 0 when nobody does",
    registers,
    collect() {
      this.set(state.lagMs() / 1000);
    },
  });
  const cuts = new Counter({
    name: "order_watch_cuts_total",
    help: "Streams that were ended, by reason: slow_reader, token (expired or revoked)",
    labelNames: ["reason"],
    registers,
  });
  const resets = new Counter({
    name: "order_watch_resets_total",
    help: "Times a client was told to load its list again, since it could not resume",
    registers,
  });
  for (const reason of ["slow_reader", "token"]) cuts.inc({ reason }, 0);
  return { cut: (reason) => cuts.inc({ reason }), reset: () => resets.inc() };
}
