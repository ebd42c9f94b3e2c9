import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** What a process has used so far, as the system counts it. */
export interface ProcessUsage {
  /** CPU time of all its threads, in user and kernel, in milliseconds. */
  readonly cpuMs: number;
  /** Memory that is in RAM now (RSS). */
  readonly rssMiB: number;
  /** The part of it that comes from files: the program itself, libraries. Processes share it. 0 if unknown. */
  readonly sharedMiB: number;
  /** The most that ever was; as far as the system tells, else what is now. */
  readonly peakRssMiB: number;
}

/** `USER_HZ`: the unit of times in /proc is 10 ms wherever Linux runs Node.js. */
const tickMs = 10;

/** @throws when there is no such process */
export function usageOf(pid: number): ProcessUsage {
  return process.platform === "linux" ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): ProcessUsage {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name stands in brackets and may hold anything; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (name: string) =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(status)?.[1]) / 1024;
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
    rssMiB: mib("VmRSS"),
    sharedMiB: mib("RssFile"),
    peakRssMiB: mib("VmHWM"),
  };
}

function fromPs(pid: number): ProcessUsage {
  const output = execFileSync("ps", ["-o", "time=,rss=", "-p", `${pid}`], { encoding: "utf8" });
  const [time = "", rss] = output.trim().split(/\s+/);
  const rssMiB = Number(rss) / 1024;
  return { cpuMs: secondsOf(time) * 1000, rssMiB, sharedMiB: 0, peakRssMiB: rssMiB };
}

/** `[[hours:]minutes:]seconds`, with a fraction or without. */
function secondsOf(time: string): number {
  return time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
}
