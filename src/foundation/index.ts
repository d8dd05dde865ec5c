export { type BackoffOptions, backoffMs } from "./backoff.ts";
export { type Clock, FakeClock, systemClock } from "./clock.ts";
export {
  ERROR_CODES,
  type ErrorCode,
  type FieldError,
  hasCode,
  ParasausError,
  type ParasausErrorOptions,
} from "./errors.ts";
export {
  classifyIpv4,
  formatIpv4,
  type Ipv4Class,
  type Ipv4Range,
  parseIpv4,
  parseIpv4Range,
} from "./ip-address.ts";
export {
  canonicalIpv6,
  familyOfIp,
  formatHostPort,
  type IpFamily,
  parseHostPort,
} from "./ip-family.ts";
export {
  classifyIpv6,
  formatIpv6,
  formatIpv6Number,
  type Ipv6Class,
  type Ipv6Range,
  parseIpv6,
  parseIpv6Range,
} from "./ipv6-address.ts";
export { type LogFacts, type Logger, silentLogger } from "./logger.ts";
export type { Output, Terminal } from "./terminal.ts";
export { VERSION } from "./version.ts";
export { type Watchdog, watchdog } from "./watchdog.ts";
