/** An IP address and a port. */
export interface Endpoint {
  readonly ip: string;
  /** 1-65535. */
  readonly port: number;
}

/** Takes `10.0.0.7:51234` or `[fd00::1]:80` apart; undefined: it is neither. */
export function splitAddress(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|(\d+(?:\.\d+){3})):(\d{1,5})$/i.exec(text.trim());
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65_535) return undefined;
  return { ip: match[1] ?? match[2] ?? "", port };
}
