import { spawn } from "node:child_process";

/** Outlives us for a moment, should we be killed. */
export interface Guard {
  /** Tells which processes to end then. */
  watch(pids: { services: readonly number[]; stores: readonly number[] }): void;
  /** Nothing is left to guard. */
  dismiss(): void;
}

/**
 * The last line of standard input says what runs. When the input ends, its writer is dead: services
 * drain as long as they may, then the stores stop, then platform.json goes.
 */
const script = `
services= stores=
while IFS='|' read -r a b; do services=$a stores=$b; done
[ -n "$services$stores" ] || exit 0
alive() { for pid; do kill -0 "$pid" 2>/dev/null && return 0; done; return 1; }
finish() {
  signal=$1 seconds=$2; shift 2
  [ $# -gt 0 ] || return 0
  kill -"$signal" "$@" 2>/dev/null
  while alive "$@" && [ "$seconds" -gt 0 ]; do sleep 1; seconds=$((seconds - 1)); done
  alive "$@" && kill -KILL "$@" 2>/dev/null
}
rm -f "$1"
finish TERM 35 $services
finish INT 10 $stores
`;

/**
 * Starts a guard: a shell that waits for our end and then ends what we have started. Processes of
 * our own group would get a Ctrl-C that is meant for us, so those we start are not in it, and
 * nothing but this ends them when we are killed with SIGKILL.
 */
export function startGuard(platformFile: string): Guard {
  const child = spawn("sh", ["-c", script, "3l1-guard", platformFile], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  child.on("error", () => {});
  child.stdin.on("error", () => {}); // it was killed; the next start cleans up from run.json
  child.unref();
  const tell = (line: string) => void child.stdin.write(`${line}\n`);
  return {
    watch: ({ services, stores }) => tell(`${services.join(" ")}|${stores.join(" ")}`),
    dismiss() {
      tell("|");
      child.stdin.end();
    },
  };
}
