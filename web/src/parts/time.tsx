import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { signal } from "@preact/signals";

/** Ticks each half minute, for texts such as "2 minutes ago". */
const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 30_000);

const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

/** How long ago something was; the exact time is in its title. */
export function Ago({ at }: { readonly at: Timestamp | undefined }) {
  if (at === undefined) return null;
  const date = timestampDate(at);
  return (
    <time dateTime={date.toISOString()} title={exact.format(date)}>
      {agoOf(date.getTime(), Math.max(now.value, Date.now()))}
    </time>
  );
}

/** A point in time as the reader writes it. */
export function Exactly({ at }: { readonly at: Timestamp | undefined }) {
  if (at === undefined) return null;
  const date = timestampDate(at);
  return <time dateTime={date.toISOString()}>{exact.format(date)}</time>;
}

function agoOf(then: number, at: number): string {
  const ms = at - then;
  const [unit, length] = units.find(([, each]) => ms >= each) ?? [undefined, 1];
  if (unit === undefined) return "just now";
  if (unit === "day" && ms > 14 * length) return exact.format(then);
  return relative.format(-Math.floor(ms / length), unit);
}
