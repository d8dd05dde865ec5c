// Everything a fresh clone needs: npm packages, system packages, the build. Idempotent; fast when there is nothing to do.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const NODE_NEEDED = [20, 19];
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor < NODE_NEEDED[1])) {
  process.stderr.write(
    `Parasaus needs Node.js ${NODE_NEEDED.join(".")} or newer, this is ${process.versions.node}\n`,
  );
  process.exit(1);
}

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
/** The command that proves a package is there, and its name for apt and dnf. */
const NEEDED = [
  { probe: "clang", apt: ["clang"], dnf: ["clang"], why: "compiles the eBPF programs" },
  { probe: "make", apt: ["make"], dnf: ["make"], why: "builds them" },
  { probe: "bpftool", apt: ["bpftool"], dnf: ["bpftool"], why: "links them" },
  {
    probe: "/usr/include/bpf/bpf_helpers.h",
    apt: ["libbpf-dev", "linux-libc-dev"],
    dnf: ["libbpf-devel", "kernel-headers"],
    why: "libbpf",
  },
  { probe: "ip", apt: ["iproute2"], dnf: ["iproute"], why: "network namespaces of the test lab" },
];
/** What only tests, demo and bench use. */
const NEEDED_BY_TESTS = [
  {
    probe: "nginx",
    apt: ["nginx-light", "libnginx-mod-stream"],
    dnf: ["nginx", "nginx-mod-stream"],
    why: "member and peer in tests",
  },
  { probe: "haproxy", apt: ["haproxy"], dnf: ["haproxy"], why: "peer in the bench" },
  { probe: "etcd", apt: ["etcd-server"], dnf: ["etcd"], why: "clusters that the etcd store is tested on" },
  { probe: "etcdctl", apt: ["etcd-client"], dnf: ["etcd"], why: "looks at them past the product" },
  { probe: "mariadbd", apt: ["mariadb-server"], dnf: ["mariadb-server"], why: "member of mysql probes" },
  { probe: "nft", apt: ["nftables"], dnf: ["nftables"], why: "peer in the bench, fault injection" },
  { probe: "strace", apt: ["strace"], dnf: ["strace"], why: "counts writes to the kernel in tests" },
  { probe: "wrk", apt: ["wrk"], dnf: ["wrk"], why: "load in the bench" },
  { probe: "iperf3", apt: ["iperf3"], dnf: ["iperf3"], why: "bulk throughput in the bench" },
  { probe: "curl", apt: ["curl"], dnf: ["curl"], why: "waits for members in the bench" },
  {
    probe: "linux.uml",
    apt: ["user-mode-linux", "kmod"],
    dnf: ["kmod"],
    why: "boots another kernel in tests",
  },
  { probe: "ipvsadm", apt: ["ipvsadm"], dnf: ["ipvsadm"], why: "looks at IPVS past the product" },
  { probe: "socat", apt: ["socat"], dnf: ["socat"], why: "client and member of SCTP" },
  { probe: "chromium", apt: ["chromium"], dnf: ["chromium"], why: "browser of the console's tests" },
  {
    probe: "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    apt: ["fonts-wqy-microhei"],
    dnf: ["wqy-microhei-fonts"],
    why: "Chinese letters on their screenshots",
  },
  { probe: "diff", apt: ["diffutils"], dnf: ["diffutils"], why: "kubectl diff" },
];
/** What only the tests on other kernels use. */
const NEEDED_BY_LVS_TESTS = [
  {
    probe: "qemu-system-x86_64",
    apt: ["qemu-system-x86", "kmod"],
    dnf: ["qemu-system-x86-core", "kmod"],
    why: "boots another kernel with two CPUs",
  },
];
/** What of Debian's kernel a guest in QEMU needs: no drivers of real devices. */
const KERNEL_PARTS = [
  "./boot/vmlinuz*",
  "./lib/modules/*/modules.*",
  ...["net", "lib", "crypto", "fs", "drivers/virtio", "drivers/net/*.ko"].map(
    (part) => `./lib/modules/*/kernel/${part}`,
  ),
];
/** What only the long tests use. */
const NEEDED_BY_LONG_TESTS = [
  { probe: "buildah", apt: ["buildah"], dnf: ["buildah"], why: "builds the image" },
  { probe: "umoci", apt: ["umoci"], dnf: ["umoci"], why: "unpacks it" },
  { probe: "mmdebstrap", apt: ["mmdebstrap"], dnf: ["mmdebstrap"], why: "makes its base" },
];

const has = (probe) =>
  probe.startsWith("/")
    ? existsSync(probe)
    : [
        "/usr/local/sbin",
        "/usr/local/bin",
        "/usr/sbin",
        "/usr/bin",
        "/sbin",
        "/bin",
        ...(process.env.PATH ?? "").split(":"),
      ].some((folder) => existsSync(path.join(folder, probe)));

function installNpmPackages() {
  const lock = createHash("sha256")
    .update(readFileSync(path.join(root, "package-lock.json")))
    .digest("hex");
  const stamp = path.join(root, "node_modules", ".parasaus-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  if (
    existsSync(path.join(root, "node_modules", ".package-lock.json")) &&
    npm(["ls", "--silent"]).status === 0
  ) {
    writeFileSync(stamp, lock);
    return;
  }
  process.stdout.write("Installing npm packages...\n");
  const run = npm(["ci", "--no-audit", "--no-fund", "--loglevel=error"], "inherit");
  if (run.status !== 0) throw new Error("Cannot install npm packages: npm ci failed, see above");
  writeFileSync(stamp, lock);
}

function npm(args, stdio = "ignore") {
  return spawnSync("npm", args, { cwd: root, stdio });
}

function installSystemPackages(needed) {
  const missing = needed.filter(({ probe }) => !has(probe));
  if (missing.length === 0) return;
  const apt = missing.flatMap((item) => item.apt).join(" ");
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !has("apt-get")) {
    const dnf = missing.flatMap((item) => item.dnf).join(" ");
    process.stdout.write(`Missing: ${missing.map((item) => `${item.probe} (${item.why})`).join(", ")}\n`);
    process.stdout.write(
      has("dnf")
        ? `Install it with: sudo dnf install -y ${dnf}\n`
        : `Install it with: sudo apt-get install -y ${apt}\n`,
    );
    return;
  }
  process.stdout.write(`Installing system packages: ${apt}\n`);
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  spawnSync("apt-get", ["update", "-qq"], { stdio: "inherit", env: environment });
  const run = spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...apt.split(" ")], {
    stdio: ["ignore", "ignore", "inherit"],
    env: environment,
  });
  if (run.status !== 0)
    process.stdout.write(
      `Could not install ${apt}: go on without; what that lacks is said where it is needed\n`,
    );
}

/** Unpacks Debian's kernel into dist/guest, which git ignores; nothing is installed. */
function fetchGuestKernel() {
  const home = path.join(root, "dist/guest");
  if (existsSync(home) || process.arch !== "x64" || !has("apt-get")) return;
  mkdirSync(path.dirname(home), { recursive: true });
  // Into a folder beside it first, so that one that was cut short is never taken for a whole one.
  const draft = mkdtempSync(`${home}-`);
  const run = (program, words) =>
    execFileSync(program, words, { cwd: draft, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  try {
    const [kernel] = run("apt-cache", ["depends", "linux-image-amd64"]).match(/linux-image-\d[^\s>]+/) ?? [];
    process.stdout.write(`Fetching ${kernel} for guests\n`);
    run("apt-get", ["download", "-qq", kernel, "busybox-static"]);
    const unpack = 'dpkg-deb --fsys-tarfile "$0"_*.deb | tar -x --wildcards "$@"';
    run("sh", ["-c", unpack, kernel, ...KERNEL_PARTS]);
    run("sh", ["-c", unpack, "busybox-static", "./bin/busybox"]);
    for (const file of readdirSync(draft).filter((name) => name.endsWith(".deb")))
      rmSync(path.join(draft, file));
    run("depmod", ["-b", draft, kernel.replace("linux-image-", "")]);
    renameSync(draft, home);
  } catch (failure) {
    rmSync(draft, { recursive: true, force: true });
    process.stdout.write(`Could not fetch a kernel for guests, go on without: ${failure.message}\n`);
  }
}

installNpmPackages();
const isLong = process.argv.includes("--long-tests");
const isLvs = process.argv.includes("--lvs-tests");
installSystemPackages([
  ...NEEDED,
  ...(isLong || isLvs || process.argv.includes("--tests") ? NEEDED_BY_TESTS : []),
  ...(isLvs ? NEEDED_BY_LVS_TESTS : []),
  ...(isLong ? NEEDED_BY_LONG_TESTS : []),
]);
if (isLvs) fetchGuestKernel();
mkdirSync(path.join(root, "dist"), { recursive: true });
const canBuildBpf = has("clang") && has("make") && has("bpftool");
execFileSync(process.execPath, [path.join(root, "scripts/build.mjs"), ...(canBuildBpf ? [] : ["--no-bpf"])], {
  stdio: "inherit",
});
