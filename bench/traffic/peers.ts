import { mkdtempSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { BenchTopology } from "./topology.ts";

/** What clients dial to reach the members by one contender. */
export interface Contender {
  readonly name: string;
  /** The node it runs on. */
  readonly node: "plain" | "nft" | "para";
  readonly httpTarget: string;
  /** For bulk transfer: leads to the first member alone, because the streams of one iperf3 test belong together. */
  readonly bulkTarget: { readonly ip: string; readonly port: number };
  /** What goes on while it is measured, until `signal` aborts. */
  readonly disturb?: (signal: AbortSignal) => Promise<void>;
}

/** Members' ports. */
export const HTTP_PORT = 8080;
/** iperf3 servers on every member. */
export const BULK_PORT = 5201;
const NGINX_PORTS = { http: 31_001, bulk: 31_011 };
const HAPROXY_PORTS = { http: 31_002, bulk: 31_012 };
const NFT_PORTS = { http: 31_003, bulk: 31_013 };

/** Starts nginx and iperf3 on every member; the members' nginx take turns over two CPUs. */
export function startMembers(lab: BenchTopology, folder: string): void {
  for (const [index, member] of lab.members.entries()) {
    const home = mkdtempSync(path.join(folder, `member${index}-`));
    writeFileSync(
      path.join(home, "nginx.conf"),
      `daemon off; worker_processes 1; pid ${home}/pid; error_log ${home}/error.log crit;
events { worker_connections 16384; multi_accept on; }
http { access_log off; keepalive_requests 100000000; client_body_temp_path ${home}/a; proxy_temp_path ${home}/b; fastcgi_temp_path ${home}/c; uwsgi_temp_path ${home}/d; scgi_temp_path ${home}/e;
  server { listen ${HTTP_PORT} backlog=8192; return 200 "m${index}"; } }`,
    );
    member.start([
      "taskset",
      "-c",
      String(index % 2),
      "nginx",
      "-c",
      path.join(home, "nginx.conf"),
      "-p",
      home,
    ]);
    member.start(["iperf3", "-s", "-p", String(BULK_PORT)], { stdio: "ignore" });
  }
}

/** Plain routing that alternates the members per connection, as the balancers do. */
export function direct(lab: BenchTopology, name: string): Contender {
  return {
    name,
    node: "plain",
    httpTarget: `http://${lab.sharedIp}:${HTTP_PORT}/`,
    bulkTarget: { ip: lab.memberIp("plain", 0), port: BULK_PORT },
  };
}

/** nginx's stream module, two workers, one on each CPU. */
export function startNginx(lab: BenchTopology, folder: string): Contender {
  const home = mkdtempSync(path.join(folder, "nginx-"));
  const server = (index: number, port: number) => `server ${lab.memberIp("plain", index)}:${port};`;
  const members = lab.members.map((_, index) => server(index, HTTP_PORT)).join(" ");
  writeFileSync(
    path.join(home, "nginx.conf"),
    `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off; worker_processes 2; worker_cpu_affinity 01 10; pid ${home}/pid; error_log ${home}/error.log crit;
events { worker_connections 16384; multi_accept on; }
stream { upstream http { ${members} } upstream bulk { ${server(0, BULK_PORT)} }
  server { listen ${NGINX_PORTS.http} backlog=8192; proxy_pass http; } server { listen ${NGINX_PORTS.bulk}; proxy_pass bulk; } }`,
  );
  lab.nodes.plain.start(["nginx", "-c", path.join(home, "nginx.conf"), "-p", home]);
  return onNode(lab, "nginx", "plain", NGINX_PORTS);
}

/** HAProxy in TCP mode, two threads, one on each CPU. */
export function startHaproxy(lab: BenchTopology, folder: string): Contender {
  const home = mkdtempSync(path.join(folder, "haproxy-"));
  const server = (index: number, port: number) =>
    `  server m${index} ${lab.memberIp("plain", index)}:${port}`;
  writeFileSync(
    path.join(home, "haproxy.cfg"),
    `global
  nbthread 2
  cpu-map auto:1/1-2 0-1
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
listen http
  bind :${HAPROXY_PORTS.http} backlog 8192
  balance roundrobin
${lab.members.map((_, index) => server(index, HTTP_PORT)).join("\n")}
listen bulk
  bind :${HAPROXY_PORTS.bulk}
  balance roundrobin
${server(0, BULK_PORT)}
`,
  );
  lab.nodes.plain.start(["haproxy", "-db", "-f", path.join(home, "haproxy.cfg")]);
  return onNode(lab, "haproxy", "plain", HAPROXY_PORTS);
}

/** nftables DNAT on a node of its own: its connection tracking would slow the others. */
export function startNftables(lab: BenchTopology, folder: string): Contender {
  const members = lab.members.map((_, index) => `${index} : ${lab.memberIp("nft", index)}`).join(", ");
  const file = path.join(folder, "bench.nft");
  writeFileSync(
    file,
    `table ip bench { chain prerouting { type nat hook prerouting priority dstnat;
  tcp dport ${NFT_PORTS.http} dnat to numgen inc mod ${lab.members.length} map { ${members} } : ${HTTP_PORT}
  tcp dport ${NFT_PORTS.bulk} dnat to ${lab.memberIp("nft", 0)}:${BULK_PORT}
}
}
`,
  );
  lab.nodes.nft.run("nft", "-f", file);
  lab.nodes.nft.run("sh", "-c", "echo 1 > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_time_wait");
  return onNode(lab, "nftables", "nft", NFT_PORTS);
}

/** A contender that listens on its node's address. */
export function onNode(
  lab: BenchTopology,
  name: string,
  node: Contender["node"],
  ports: { readonly http: number; readonly bulk: number },
): Contender {
  const ip = lab.nodeIp(node);
  return {
    name,
    node,
    httpTarget: `http://${ip}:${ports.http}/`,
    bulkTarget: { ip, port: ports.bulk },
  };
}
