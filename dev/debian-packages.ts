import { execFile } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const updateTimeoutMs = 120_000;
const downloadTimeoutMs = 120_000;
const unpackTimeoutMs = 30_000;

/**
 * Fetches the first package that the system's sources offer, with what it depends on and the system
 * lacks, and unpacks all of it to `folder`. Nothing is installed: apt works on lists and a cache of its
 * own, so this needs neither root nor an earlier `apt-get update`.
 *
 * @param folder appears when it is complete; one that is there already, and not empty, is kept
 * @throws {Error} with apt's own words
 */
export async function fetchPackages(
  packages: readonly string[],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const work = mkdtempSync(`${folder}-`);
  try {
    const archives = await download(packages, work, signal);
    const target = join(work, "unpacked");
    mkdirSync(target);
    for (const archive of archives)
      await run("dpkg", ["-x", archive, target], { signal, timeout: unpackTimeoutMs });
    moveInto(folder, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Whoever starts at the same time may have been faster; then theirs is as good. */
function moveInto(folder: string, unpacked: string): void {
  chmodSync(unpacked, 0o755);
  try {
    renameSync(unpacked, folder);
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!["ENOTEMPTY", "EEXIST"].includes(code)) throw error;
  }
}

async function download(
  packages: readonly string[],
  work: string,
  signal: AbortSignal,
): Promise<string[]> {
  const config = join(work, "apt.conf");
  const archives = join(work, "cache/archives");
  for (const path of ["state/lists/partial", "cache/archives/partial"])
    mkdirSync(join(work, path), { recursive: true });
  writeFileSync(config, aptConfiguration(work));
  const env = { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  const apt = (args: string[], timeout: number) =>
    run("apt-get", ["-c", config, "-q", ...args], { env, signal, timeout });
  // One source of many may be out of reach; whether it matters shows at the download.
  const update = await apt(["update"], updateTimeoutMs).catch((error: unknown) => error);
  const failures: string[] = [];
  for (const name of packages) {
    try {
      const install = ["install", "--yes", "--download-only", "--no-install-recommends", name];
      await apt(install, downloadTimeoutMs);
      const files = readdirSync(archives).filter((file) => file.endsWith(".deb"));
      if (files.length > 0) return files.map((file) => join(archives, file));
    } catch (error) {
      signal.throwIfAborted();
      failures.push(outputOf(error));
    }
  }
  throw new Error(`apt-get could not fetch it:\n${[outputOf(update), ...failures].join("\n")}`);
}

/** The system's sources and what it has installed, but everything that apt writes goes to `work`. */
function aptConfiguration(work: string): string {
  return `
Dir::State "${work}/state";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "${work}/cache";
Debug::NoLocking "true";
APT::Sandbox::User "";
APT::Get::AllowUnauthenticated "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
`;
}

/** apt's own words for what went wrong: its lines that begin with E: or W:. */
function outputOf(result: unknown): string {
  const { stderr = "", message = "" } = result as { stderr?: string; message?: string };
  return (stderr || message).trim().split("\n").slice(-5).join("\n");
}
