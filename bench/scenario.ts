/** What is asked again and again, of whom, and whose CPU and memory count. */
export interface Scenario {
  /** Its name in the figures. */
  readonly name: string;
  /** Its name for people. */
  readonly title: string;
  /** Of the gateway. */
  readonly port: number;
  /** The whole HTTP/1.1 request, as it goes onto the wire. */
  readonly request: string;
  /** Requests under way at a time. */
  readonly connections: number;
  /** Pids by what the process is. The stores are not among them. */
  readonly processes: Readonly<Record<string, number>>;
}

/** Requests under way at a time, where the machine's cores are the limit: enough to keep both busy. */
export const usualConnections = 32;
