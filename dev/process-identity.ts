import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A process, told apart from a later one that got the same pid: by when it was born. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly bornAt: string;
}

/** `undefined` when there is no such process (any more). */
export function identify(pid: number): ProcessIdentity | undefined {
  const bornAt = process.platform === "linux" ? bornAtOnLinux(pid) : bornAtElsewhere(pid);
  return bornAt === undefined ? undefined : { pid, bornAt };
}

/** Whether that very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.bornAt === identity.bornAt;
}

/** The command line of a process, arguments and all; empty when there is none. */
export function commandOf(pid: number): string {
  try {
    const options = { encoding: "utf8", stdio: "pipe", timeout: 5_000 } as const;
    return process.platform === "linux"
      ? readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      : execFileSync("ps", ["-o", "command=", "-p", `${pid}`], options);
  } catch {
    return "";
  }
}

/** proc_pid_stat(5): field 3 is the state, 22 the start in ticks since boot. The name in field 2 may hold anything. */
function bornAtOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function bornAtElsewhere(pid: number): string | undefined {
  try {
    const options = { encoding: "utf8", stdio: "pipe", timeout: 5_000 } as const;
    const [state, ...born] = execFileSync("ps", ["-o", "state=,lstart=", "-p", `${pid}`], options)
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith("Z") ? undefined : born.join(" ");
  } catch {
    return undefined; // ps exits with 1 when there is no such process
  }
}
