import { connect } from "node:net";

/** Sends bytes as they are, and reads until the other side closes. */
export async function rawRequest(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  for (const part of parts) socket.write(part);
  let text = "";
  for await (const chunk of socket) text += chunk;
  return text;
}

/** The head of a request, and the blank line after it. */
export function headOf(...lines: string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}
