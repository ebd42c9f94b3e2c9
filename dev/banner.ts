import type { Terminal } from "./terminal.ts";

export interface BannerOptions {
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  readonly adminEmail: string;
  /** Where the admin's password can be found, and whether that is sure. */
  readonly adminNote: string;
  /** What shows the logs. */
  readonly logsCommand: string;
  /** The demo account, when it is there. */
  readonly demo: { readonly email: string; readonly password: string } | undefined;
}

/** What can be opened and pasted now. No token is ever in it. */
export function printBanner(terminal: Terminal, options: BannerOptions): void {
  const { gatewayUrl, adminUrl, adminEmail, adminNote, logsCommand, demo } = options;
  const row = (name: string, value: string, note = "") => {
    const end = note && `  ${terminal.paint("dim", note)}`;
    terminal.print(`  ${terminal.paint("dim", name.padEnd(9))} ${value}${end}`);
  };
  terminal.print();
  row("console", terminal.paint("cyan", gatewayUrl));
  row("API", terminal.paint("cyan", `${gatewayUrl}/api/docs`));
  row("metrics", terminal.paint("cyan", `${adminUrl}/metrics`), "also /readyz and /breakers");
  if (demo) row("demo", demo.email, `password ${demo.password}`);
  row("admin", adminEmail, adminNote);
  row("logs", logsCommand, "warnings and errors come here too");
  terminal.print();
  if (!demo) return;
  terminal.print("  To paste into another terminal:");
  terminal.print();
  for (const line of curlLines(gatewayUrl, demo)) terminal.print(line);
  terminal.print();
}

/** For bash and zsh, with curl and sed alone. Not indented, and without comments: zsh would run those. */
export function curlLines(url: string, account: { email: string; password: string }): string[] {
  const login = quote(JSON.stringify(account));
  const token = `sed -n 's/.*"token": *"\\([^"]*\\)".*/\\1/p'`;
  const order = '{"items":[{"sku":"TEA","quantity":1,"unitPriceMinor":499}],"currencyCode":"EUR"}';
  const curl = "curl -s -H 'content-type: application/json'";
  const bearer = '-H "authorization: Bearer $TOKEN"';
  return [
    `TOKEN=$(${curl} ${url}/api/users/log -d ${login} | ${token})`,
    `${curl} ${url}/api/orders/add ${bearer} -d ${quote(order)}; echo`,
    `${curl} ${bearer} ${quote(`${url}/api/orders/list?pageSize=2`)}; echo`,
  ];
}

/** As one word of a POSIX shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
