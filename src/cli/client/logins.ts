import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { ParasausError, type Terminal } from "../../foundation/index.ts";

/** A session that `parasaus login` began. */
export interface Login {
  /** Account. */
  readonly name: string;
  readonly token: string;
  /** ISO 8601. */
  readonly expires: string;
  /** Where it is used: what was asked, or the same over TLS. */
  readonly url: string;
  /** Authority that the server's certificate came from, PEM; absent: one that the machine trusts. */
  readonly ca?: string;
}

type Logins = Readonly<Record<string, Login>>;

/** The session at a server; undefined: none, or it has ended. */
export function findLogin(terminal: Terminal, server: string, now: Date): Login | undefined {
  const login = readLogins(fileOf(terminal))[server];
  return login && new Date(login.expires) > now ? login : undefined;
}

/** Keeps a session, or with undefined forgets it; only the user can read the file. */
export function saveLogin(terminal: Terminal, server: string, login: Login | undefined): void {
  const file = fileOf(terminal);
  const { [server]: _before, ...others } = readLogins(file);
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const logins = login ? { ...others, [server]: login } : others;
  writeFileSync(`${file}.new`, `${JSON.stringify(logins, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function fileOf({ environment, homeDirectory }: Terminal): string {
  const folder = environment["XDG_CONFIG_HOME"] || path.join(homeDirectory, ".config");
  return path.join(folder, "parasaus", "logins.json");
}

function readLogins(file: string): Logins {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Logins;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new ParasausError("Usage", `Cannot read "${file}": ${(cause as Error).message}`, { cause });
  }
}
