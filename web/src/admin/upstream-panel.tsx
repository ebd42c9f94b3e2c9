import { BreakerState, type UpstreamHealth } from "@3l1/gen/platform/v1/platform_health_pb.ts";
import { Ago } from "../parts/time.tsx";
import { Bars, Meter } from "./charts.tsx";
import { formatShare, sumOf } from "./numbers.ts";

const words: Record<BreakerState, readonly [name: string, meaning: string]> = {
  [BreakerState.UNSPECIFIED]: ["unknown", ""],
  [BreakerState.CLOSED]: ["closed", "calls pass"],
  [BreakerState.OPEN]: ["open", "calls are turned away"],
  [BreakerState.HALF_OPEN]: ["half-open", "a few calls pass, to see"],
};
const shownTransitions = 3;

function wordsOf(state: BreakerState): readonly [name: string, meaning: string] {
  return words[state] ?? ["unknown", ""];
}

/** A service behind the gateway: its breaker, what it is asked, and how full it is. */
export function UpstreamPanel({ upstream }: { readonly upstream: UpstreamHealth }) {
  const { name, state, since, reason, calls, failures, rejected, addresses } = upstream;
  const [word, meaning] = wordsOf(state);
  const good = calls.map((count, index) => Math.max(0, count - (failures[index] ?? 0)));
  return (
    <section class="panel" data-upstream={name}>
      <header>
        <h2>{name}</h2>
        <span class={`breaker ${word}`}>
          <Switch state={state} /> {word}
        </span>
      </header>
      <p class="hint">
        {meaning}
        {since && (
          <>
            , since <Ago at={since} />
          </>
        )}
        {reason && ` (${reason.replaceAll("-", " ")})`}
      </p>
      <Bars
        label={`${sumOf(calls)} calls, ${sumOf(failures)} failed, ${sumOf(rejected)} turned away`}
        series={[
          { values: good, tone: "plain" },
          { values: failures, tone: "bad" },
          { values: rejected, tone: "warn" },
        ]}
      />
      <p class="legend">
        <span class="plain">{sumOf(good)} calls went well</span>
        <span class="bad">{sumOf(failures)} failed</span>
        <span class="warn">{sumOf(rejected)} turned away</span>
      </p>
      <Meter
        label="Under way"
        value={upstream.callsUnderWay}
        max={upstream.concurrencyLimit}
        text={`${upstream.callsUnderWay} of ${upstream.concurrencyLimit}, ${upstream.callsWaiting} wait`}
      />
      <Meter
        label="Failing"
        value={upstream.failureShare}
        max={1}
        text={`${formatShare(upstream.failureShare)} of 10 s`}
      />
      <p class="hint">
        {addresses.filter(({ connected }) => connected).length} of {addresses.length} addresses
        connected, {addresses.filter(({ ejected }) => ejected).length} left out,{" "}
        {upstream.streamsOpen} streams
      </p>
      <Transitions upstream={upstream} />
    </section>
  );
}

function Transitions({ upstream: { transitions } }: { readonly upstream: UpstreamHealth }) {
  if (transitions.length === 0) return null;
  return (
    <ol class="transitions">
      {transitions
        .slice(0, shownTransitions)
        .map(({ changedAt, fromState, toState, reason }, index) => (
          <li key={index}>
            {wordsOf(fromState)[0]} → <strong>{wordsOf(toState)[0]}</strong>{" "}
            <small>
              {reason.replaceAll("-", " ")}, <Ago at={changedAt} />
            </small>
          </li>
        ))}
    </ol>
  );
}

const levers: Partial<Record<BreakerState, string>> = {
  [BreakerState.CLOSED]: "M7 8H17",
  [BreakerState.OPEN]: "M7 8 15 2",
};

/** A switch in a wire: closed it conducts. */
function Switch({ state }: { readonly state: BreakerState }) {
  const lever = levers[state] ?? "M7 8 16 5";
  return (
    <svg viewBox="0 0 24 12" aria-hidden="true">
      <path d={`M0 8H7M17 8H24${lever}`} />
      <circle cx="7" cy="8" r="2" />
      <circle cx="17" cy="8" r="2" />
    </svg>
  );
}
