import { type Connection, connection } from "./live-orders.ts";

const words: Record<Connection, readonly [word: string, meaning: string]> = {
  connecting: ["Connecting", "The live view is being opened"],
  live: ["Live", "Changes show up here as they happen"],
  reconnecting: ["Reconnecting", "The live view was cut; it is being opened again"],
  offline: ["Offline", "There is no network; what you see may be old"],
};

/** Whether what one sees is what there is. */
export function ConnectionMark() {
  const [word, meaning] = words[connection.value];
  return (
    <span class={`connection ${connection.value}`} role="status" title={meaning}>
      {word}
    </span>
  );
}
