import { describe, expect, it } from "vitest";
import { addressPoolDefinition, poolDefinition, SCHEDULER_NAMES, validateObject } from "../../model/index.ts";
import { readIpvsadm } from "./ipvsadm.ts";
import { readKeepalived } from "./keepalived.ts";
import type { ReadIncluded } from "./keepalived-tree.ts";
import { makePools } from "./pools.ts";
import type { VirtualServer } from "./virtual-server.ts";

interface Made {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** The objects, each found valid, and the warnings. */
function adopt(read: (warn: (where: string, message: string) => void) => readonly VirtualServer[]) {
  const warnings: string[] = [];
  const warn = (where: string, message: string) => void warnings.push(`${where}: ${message}`);
  const objects = makePools(read(warn), "shop", warn) as readonly Made[];
  for (const object of objects) {
    const definition = object.kind === "Pool" ? poolDefinition : addressPoolDefinition;
    expect(validateObject(definition, object, "Strict").errors).toEqual([]);
  }
  return { objects, pools: objects.slice(1), warnings };
}

const ipvsadm = (text: string) => adopt((warn) => readIpvsadm(text, warn));
const nowhere: ReadIncluded = (pattern) => {
  throw new Error(`nobody includes ${pattern}`);
};
const keepalived = (text: string, include = nowhere, name = "") =>
  adopt((warn) => readKeepalived(text, name, include, warn));

describe("what ipvsadm -Sn prints", () => {
  it("becomes pools on an address pool of their addresses", () => {
    const { objects, warnings } = ipvsadm(`-A -t 192.0.2.10:80 -s wlc -p 300
-a -t 192.0.2.10:80 -r 10.1.0.1:8080 -m -w 3
-a -t 192.0.2.10:80 -r 10.1.0.2:8080 -m -w 0
-A -u 192.0.2.11:53 -s sh -p 60 -M 255.255.252.0 -o
`);
    expect(warnings).toEqual([]);
    expect(objects).toEqual([
      {
        apiVersion: "parasaus.io/v1",
        kind: "AddressPool",
        metadata: { name: "adopted" },
        spec: { addresses: ["192.0.2.10", "192.0.2.11"], ports: ["80", "53"], autoAssign: false },
      },
      {
        apiVersion: "parasaus.io/v1",
        kind: "Pool",
        metadata: { name: "tcp-192-0-2-10-80", namespace: "shop" },
        spec: {
          addressPool: "adopted",
          ip: "192.0.2.10",
          port: 80,
          protocol: "TCP",
          scheduler: "wlc",
          forwarding: "nat",
          sessionAffinity: { type: "ClientIP", timeoutSeconds: 300 },
          healthCheck: { initialState: "up" },
          members: [
            { ip: "10.1.0.1", port: 8080, weight: 3 },
            { ip: "10.1.0.2", port: 8080, weight: 0 },
          ],
        },
      },
      {
        apiVersion: "parasaus.io/v1",
        kind: "Pool",
        metadata: { name: "udp-192-0-2-11-53", namespace: "shop" },
        spec: {
          addressPool: "adopted",
          ip: "192.0.2.11",
          port: 53,
          protocol: "UDP",
          scheduler: "sh",
          sessionAffinity: { type: "ClientIP", timeoutSeconds: 60, prefixLength: 22 },
          onePacketScheduling: true,
          healthCheck: { initialState: "up" },
          members: [],
        },
      },
    ]);
  });

  it("becomes pools of IPv6, whose netmask is a prefix length", () => {
    const { objects, pools, warnings } = ipvsadm(`-A -t [2001:db8:0::1]:443 -s wrr -p 60 -M 64
-a -t [2001:db8:0::1]:443 -r [2001:db8:1::2]:8443 -m -w 2
`);
    expect(warnings).toEqual([]);
    expect(objects[0]?.spec).toMatchObject({ addresses: ["2001:db8::1"], ports: ["443"] });
    expect(pools).toMatchObject([
      {
        metadata: { name: "tcp-2001-db8--1-443" },
        spec: {
          ip: "2001:db8::1",
          sessionAffinity: { prefixLength: 64 },
          members: [{ ip: "2001:db8:1::2", port: 8443, weight: 2 }],
        },
      },
    ]);
  });

  it("is warned about, line by line, where a pool cannot say it", () => {
    const { pools, warnings } =
      ipvsadm(`-A -t 192.0.2.10:443 -s whatever -p 90000 -M 255.255.255.0 -b flag-1 -o --pe sip
-a -t 192.0.2.10:443 -r 10.1.0.1:443 -m -w 1024 -x 100 -y 50 --tun-type ipip
-a -t 192.0.2.10:443 -r 10.1.0.2:443 -g -w 1
-a -t 192.0.2.10:443 -r [2001:db8::2]:443 -m -w 1
-A -f 7 -s rr
-a -f 7 -r 10.1.0.3:0 -g -w 1
-A --sctp-service 192.0.2.10:9 -s rr
-A -t [2001:db8::1]:80 -s rr
-A -t 192.0.2.12:0 -s rr -p 60
-A -f 7 -6 -s rr
`);
    expect(warnings).toEqual([
      "line 1: scheduler flags -b flag-1 has no counterpart",
      "line 1: persistence engine --pe sip has no counterpart",
      "line 1: one-packet scheduling -o does nothing without UDP",
      "line 2: upper threshold -x 100 has no counterpart",
      "line 2: lower threshold -y 50 has no counterpart",
      "line 4: the real server [2001:db8::2]:443 is left out: the pool's family is IPv4",
      "line 5: the service mark 7 is left out: a pool has an address",
      "line 9: the service TCP 192.0.2.12:0 is left out: a pool has one port",
      "line 10: the service mark 7 is left out: a pool has an address",
      "line 3: forwarding dsr differs from the first member's; a pool has one",
      "line 1: scheduler whatever has no counterpart; wlc is used",
      "line 1: persistence of 90000 s is out of range; 86400 s is used",
      "line 1: weights up to 1024 are scaled down to 256, the largest that there is",
    ]);
    expect(pools).toHaveLength(3);
    expect(pools[1]?.spec).toMatchObject({ protocol: "SCTP", ip: "192.0.2.10", port: 9 });
    expect(pools[0]?.spec["members"]).toEqual([
      { ip: "10.1.0.1", port: 443, weight: 256 },
      { ip: "10.1.0.2", port: 443, weight: 1 },
    ]);
  });

  it("keeps direct routing and tunnels, with the service's port as LVS has it", () => {
    const { pools, warnings } = ipvsadm(`-A -t 192.0.2.10:80 -s rr
-a -t 192.0.2.10:80 -r 10.1.0.1:8080 -g -w 1
-A -t 192.0.2.11:80 -s rr
-a -t 192.0.2.11:80 -r 10.1.0.1:80 -i -w 1 --tun-type ipip
`);
    expect(warnings).toEqual([]);
    expect(pools.map(({ spec }) => [spec["forwarding"], spec["members"]])).toEqual([
      ["dsr", [{ ip: "10.1.0.1", port: 80, weight: 1 }]],
      ["tunnel", [{ ip: "10.1.0.1", port: 80, weight: 1 }]],
    ]);
  });

  it("keeps every scheduler of the kernel", () => {
    const lines = SCHEDULER_NAMES.map((name, index) => `-A -t 192.0.2.10:${index + 1} -s ${name}`);
    const { pools, warnings } = ipvsadm(lines.join("\n"));
    expect(warnings).toEqual([]);
    expect(pools.map(({ spec }) => spec["scheduler"])).toEqual(SCHEDULER_NAMES);
  });

  it.each([
    ["-A -t web.example:http -s rr", 'line 1: "web.example:http" is no address with a port'],
    ["-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m", "line 1: its service was not added before"],
    ["-A -t 10.0.0.1:80 --frobnicate", 'line 1: ipvsadm -Sn prints no "--frobnicate"'],
    ["-A -t 10.0.0.1:80 -s rr\n-A -t 10.0.0.1:80 -s rr", "line 2: its service was added before"],
    ["-A -t 10.0.0.1:80 -p 60 -M 255.0.255.0", 'line 1: "255.0.255.0" is no netmask'],
    ["-A -t", 'line 1: nothing follows "-t"'],
    ["-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w x", 'line 2: "x" is no number'],
  ])("is refused where it is none: %s", (text, message) => {
    expect(() => ipvsadm(text)).toThrow(message);
  });
});

const SHOP = `! Configuration File for keepalived
global_defs {
   router_id LVS_1
}
virtual_server_group shop {
    192.0.2.10 80
    192.0.2.20-21 80   # two more
    fwmark 7
}
virtual_server group shop {
    delay_loop 6
    lb_algo wrr
    lb_kind NAT
    persistence_timeout 50
    persistence_granularity 255.255.255.0
    protocol TCP
    quorum 2
    sorry_server 10.1.0.9 80
    virtualhost "shop.example"

    real_server 10.1.0.1 8080 {
        weight 5
        notify_down "/usr/local/bin/tell me"
        HTTP_GET {
            url {
                path /health
                status_code 200
            }
            connect_timeout 3
            retry 2
            delay_before_retry 2
        }
    }
    real_server 10.1.0.2 8080
    {
        HTTP_GET {
            url {
                path /other
                digest 9b3a0c85a887a256d6939da88aabd8cd
            }
        }
    }
}
virtual_server 192.0.2.30 53 {
    protocol UDP
    lvs_sched rr
    lvs_method NAT
    ops
    alpha
    real_server 10.1.0.3 53 {
        MISC_CHECK {
            misc_path "/usr/bin/dig -p 53"
        }
    }
}
virtual_server 192.0.2.31 25 {
    real_server 10.1.0.4 25 {
    }
}
virtual_server 2001:db8::1 80 {
}
virtual_server 192.0.2.32 99 {
    protocol SCTP
}
`;

describe("keepalived.conf", () => {
  it("becomes pools: groups, ranges, schedulers, weights, persistence and checks", () => {
    const { objects, pools } = keepalived(SHOP);
    expect(objects[0]?.spec).toMatchObject({
      addresses: [
        "192.0.2.10",
        "192.0.2.20",
        "192.0.2.21",
        "192.0.2.30",
        "192.0.2.31",
        "2001:db8::1",
        "192.0.2.32",
      ],
      ports: ["80", "53", "25", "99"],
    });
    expect(pools.map(({ metadata }) => metadata.name)).toEqual([
      "tcp-192-0-2-10-80",
      "tcp-192-0-2-20-80",
      "tcp-192-0-2-21-80",
      "udp-192-0-2-30-53",
      "tcp-192-0-2-31-25",
      "tcp-2001-db8--1-80",
      "sctp-192-0-2-32-99",
    ]);
    expect(pools[1]?.spec).toEqual({
      addressPool: "adopted",
      ip: "192.0.2.20",
      port: 80,
      protocol: "TCP",
      scheduler: "wrr",
      forwarding: "nat",
      sessionAffinity: { type: "ClientIP", timeoutSeconds: 50, prefixLength: 24 },
      healthCheck: {
        type: "http",
        interval: "6s",
        fastInterval: "5s",
        timeout: "3s",
        rise: 1,
        fall: 3,
        initialState: "up",
        http: { path: "/health", host: "shop.example", expect: ["200"] },
      },
      members: [
        { ip: "10.1.0.1", port: 8080, weight: 5 },
        { ip: "10.1.0.2", port: 8080, weight: 1 },
      ],
    });
    expect(pools[3]?.spec).toMatchObject({
      scheduler: "rr",
      onePacketScheduling: true,
      healthCheck: { initialState: "unchecked" },
    });
    expect(pools[4]?.spec).toMatchObject({
      scheduler: "wlc",
      healthCheck: { type: "none", initialState: "up" },
    });
  });

  it("is warned about, each setting once and with its line, where a pool cannot say it", () => {
    const { warnings } = keepalived(SHOP);
    expect(warnings).toEqual([
      "line 2: global_defs is not adopted: only virtual servers are",
      "line 10: virtual_server group shop is left out: firewall mark 7: a pool has an address",
      "line 17: quorum has no counterpart",
      "line 18: sorry_server has no counterpart",
      "line 36: HTTP_GET differs from that of line 24; a pool has one check",
      "line 23: notify_down has no counterpart",
      "line 51: MISC_CHECK has no counterpart: nothing is asked",
    ]);
  });

  it("checks by tcp and https with the times that keepalived has by default", () => {
    const server = (check: string) => `virtual_server 192.0.2.1 443 {
  real_server 10.1.0.1 443 {
    ${check}
  }
}`;
    const checkOf = (text: string) => keepalived(server(text)).pools[0]?.spec["healthCheck"];
    expect(checkOf("TCP_CHECK {\n connect_port 8443\n }")).toEqual({
      type: "tcp",
      interval: "1m",
      fastInterval: "6s",
      timeout: "5s",
      rise: 1,
      fall: 2,
      port: 8443,
      initialState: "up",
    });
    expect(checkOf("SSL_GET {\n url {\n path /\n }\n }")).toMatchObject({
      type: "https",
      fall: 4,
      http: { path: "/", expect: ["200-299"] },
    });
    expect(checkOf("TCP_CHECK {\n connect_timeout 3\n }\n delay_loop 1")).toMatchObject({
      interval: "1s",
      fastInterval: "1s",
      timeout: "1s",
    });
    expect(checkOf("MISC_CHECK {\n misc_path /bin/true\n }")).toEqual({ type: "tcp", initialState: "up" });
  });

  it("follows include and says in which file a line is", () => {
    const include: ReadIncluded = (pattern, from) => {
      expect([pattern, from]).toEqual(["conf.d/*.conf", "keepalived.conf"]);
      return [{ name: "conf.d/a.conf", text: "virtual_server 192.0.2.1 80 {\n quorum 1\n}" }];
    };
    const { pools, warnings } = keepalived("include conf.d/*.conf", include, "keepalived.conf");
    expect(pools).toHaveLength(1);
    expect(warnings).toEqual(["conf.d/a.conf line 2: quorum has no counterpart"]);
  });

  it("stops at a file that includes itself", () => {
    const itself: ReadIncluded = () => [{ name: "a.conf", text: "include a.conf" }];
    expect(() => keepalived("include a.conf", itself, "a.conf")).toThrow("files include each other");
  });

  it.each([
    ["$VIP=192.0.2.1", 'line 1: "$VIP=192.0.2.1" is a variable or a condition'],
    ["@main virtual_server 192.0.2.1 80 {\n}", 'line 1: "@main" is a variable or a condition'],
    ["virtual_server 192.0.2.1 80 {", 'line 1: "{" is never closed'],
    ["}", 'line 1: "}" closes no block'],
    ["virtual_server group nobody {\n}", 'line 1: there is no virtual_server_group "nobody"'],
    ["virtual_server 192.0.2 80 {\n}", 'line 1: "192.0.2" is no address'],
    ["virtual_server 192.0.2.9-1 80 {\n}", 'line 1: "192.0.2.9-1" is no address'],
    [
      "virtual_server 192.0.2.1 80 {\n persistence_timeout 9\n persistence_granularity 24\n}",
      'line 3: "24" is no netmask',
    ],
    ["virtual_server 192.0.2.1 80 {\n protocol ICMP\n}", 'line 1: "ICMP" is no protocol of a virtual server'],
    ["virtual_server 192.0.2.1 http {\n}", 'line 1: "http" is no number'],
  ])("is refused where its meaning would be guessed: %s", (text, message) => {
    expect(() => keepalived(text)).toThrow(message);
  });
});
