import type { AdminAnswer, AdminPage, AdminRequest } from "../admin-server.ts";

/** Longest profile: what a proxy and a person wait for. */
const maxSeconds = 60;
/** Go's own default, and enough requests to see what they spend their time with. */
const cpuSeconds = 30;
/** What is left behind shows sooner. */
const heapSeconds = 10;
const secondsRule = `seconds: the only parameter, given once, a number from 1 to ${maxSeconds}`;
const profileType = "application/octet-stream";

const index = `<!doctype html>
<title>Profiles</title>
<h1>Profiles</h1>
<p>One at a time, in pprof's format: <code>go tool pprof -http=: URL</code></p>
<ul>
<li><a href="profile?seconds=${cpuSeconds}">profile</a>: what the event loop's thread is busy with</li>
<li><a href="heap?seconds=${heapSeconds}">heap</a>: where memory was taken meanwhile that is still in use</li>
</ul>
<p><code>seconds</code>: 1 to ${maxSeconds}.</p>
`;

/**
 * The pages below `/debug/pprof/`. Who leaves early ends the recording, and so does the end of the
 * process.
 *
 * @param ending aborted once the process is told to end
 */
export function profilePages(ending: AbortSignal): ReadonlyMap<string, AdminPage> {
  let recording = false;

  async function record(
    { method, query, signal }: AdminRequest,
    defaultSeconds: number,
    load: () => Promise<(seconds: number, signal: AbortSignal) => Promise<Buffer>>,
  ): Promise<AdminAnswer> {
    const seconds = secondsOf(query, defaultSeconds);
    if (seconds === undefined) return text(400, secondsRule);
    if (method === "HEAD") return { type: profileType, body: "" };
    if (recording) return text(409, "another profile is being recorded");
    recording = true;
    try {
      const run = await load();
      const body = await run(seconds, AbortSignal.any([signal, ending]));
      return { type: profileType, body };
    } catch (error) {
      if (ending.aborted) return text(503, "the process is ending");
      throw error;
    } finally {
      recording = false;
    }
  }

  // The inspector takes memory, so it is loaded when somebody asks for a profile.
  const loadCpu = async () => (await import("./cpu-profile.ts")).recordCpu;
  const loadHeap = async () => (await import("./heap-profile.ts")).recordHeap;
  return new Map<string, AdminPage>([
    ["/debug/pprof/", () => ({ type: "text/html; charset=utf-8", body: index })],
    ["/debug/pprof/profile", (request) => record(request, cpuSeconds, loadCpu)],
    ["/debug/pprof/heap", (request) => record(request, heapSeconds, loadHeap)],
  ]);
}

/** A misspelt parameter must not start the longest recording, so there may be no other one. */
function secondsOf(query: URLSearchParams, otherwise: number): number | undefined {
  if (query.size === 0) return otherwise;
  const given = query.get("seconds") ?? "";
  const seconds = Number(given);
  const isGood = /^\d+(\.\d+)?$/.test(given) && seconds >= 1 && seconds <= maxSeconds;
  return isGood && query.size === 1 ? seconds : undefined;
}

function text(status: number, sentence: string): AdminAnswer {
  return { status, body: `${sentence}\n` };
}
