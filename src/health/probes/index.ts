import type { ProbeRegistry } from "../probe.ts";
import { probeHttp, probeHttps } from "./http.ts";
import { probeMysql } from "./mysql.ts";
import { probeTcp } from "./tcp.ts";

/** Every kind of check; a new one is a file and a line here. */
export const PROBES: ProbeRegistry = {
  tcp: probeTcp,
  http: probeHttp,
  https: probeHttps,
  mysql: probeMysql,
};
