import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");
const TOOLS = ["buildah", "umoci", "mmdebstrap"];
/** Where a test's own folders are; the same inside and outside, so that both name a file alike. */
const SHARED = tmpdir();

/** The image of deploy/, unpacked: what a container engine would run, without an engine. */
export interface Image extends Disposable {
  readonly rootfs: string;
  readonly config: ImageConfig;
  /** Megabytes of its layers on top of the base, compressed. */
  readonly megabytes: number;
  /**
   * The command that runs a program of the image as an engine would: in its files, with its environment and nothing
   * else, /proc, /sys and {@link SHARED} of this machine, and these rights and no other. Run it by a namespace's `start`.
   */
  inside(options: RunOptions, ...command: readonly string[]): readonly string[];
}

/** The image's own settings, by OCI's names. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
}

/** Who runs a program of the image. */
export interface RunOptions {
  /** Numeric user and group; default the image's own. */
  readonly user?: string;
  /** Capabilities by setpriv's names; default none. */
  readonly rights?: readonly string[];
}

/** What is missing to build images here; empty when nothing is. */
export function missingImageTools(): readonly string[] {
  return TOOLS.filter((tool) => !existsSync(path.join("/usr/bin", tool)));
}

/**
 * Builds deploy/Containerfile on a base made of Debian's packages, and unpacks it.
 *
 * PARASAUS_IMAGE_BASE names a tar file with such a base, which saves the minutes that making one takes.
 */
export function buildImage(): Image {
  const folder = mkdtempSync(path.join(SHARED, "paratest-image-"));
  const dispose = () => rmSync(folder, { recursive: true, force: true });
  try {
    const layout = path.join(folder, "layout");
    buildInto(layout, folder);
    run("umoci", "unpack", "--image", `${layout}:latest`, path.join(folder, "bundle"));
    const rootfs = path.join(folder, "bundle/rootfs");
    const { config, megabytes } = readLayout(layout);
    return {
      rootfs,
      config,
      megabytes,
      inside: (options, ...command) => [...entering(rootfs, config, options), ...command],
      [Symbol.dispose]: dispose,
    };
  } catch (failure) {
    dispose();
    throw failure;
  }
}

function buildInto(layout: string, folder: string): void {
  const storage = ["--root", "storage", "--runroot", "run"].map((word) =>
    word.startsWith("--") ? word : path.join(folder, word),
  );
  const buildah = (...words: readonly string[]) =>
    run("buildah", ...storage, "--storage-driver", "vfs", ...words);
  const scratch = buildah("from", "scratch").trim();
  buildah("add", scratch, baseIn(folder), "/");
  buildah("commit", "--rm", scratch, "base");
  // The base has the certificates of this machine, which may be behind a proxy.
  buildah(
    ...["bud", "--isolation", "chroot", "--format", "oci", "--pull-never"],
    ...["--volume", "/etc/ssl/certs:/etc/ssl/certs:ro"],
    ...["--build-arg", "BASE=localhost/base"],
    ...["--ignorefile", path.join(ROOT, ".containerignore")],
    ...["--file", path.join(ROOT, "deploy/Containerfile"), "--tag", "parasaus", ROOT],
  );
  buildah("push", "localhost/parasaus", `oci:${layout}:latest`);
  rmSync(path.join(folder, "storage"), { recursive: true, force: true });
}

function baseIn(folder: string): string {
  const given = process.env["PARASAUS_IMAGE_BASE"];
  if (given) return given;
  const file = path.join(folder, "base.tar");
  run(
    "mmdebstrap",
    "--variant=minbase",
    "--include=ca-certificates",
    "--dpkgopt=force-unsafe-io",
    "bookworm",
    file,
  );
  return file;
}

function readLayout(layout: string): Pick<Image, "config" | "megabytes"> {
  const blob = (digest: string) =>
    JSON.parse(readFileSync(path.join(layout, "blobs", digest.replace(":", "/")), "utf8"));
  const index = JSON.parse(readFileSync(path.join(layout, "index.json"), "utf8"));
  const manifest = blob(index.manifests[0].digest);
  const sizes = manifest.layers.slice(1).map((layer: { readonly size: number }) => layer.size) as number[];
  return {
    config: blob(manifest.config.digest).config,
    megabytes: sizes.reduce((sum, size) => sum + size, 0) / 1e6,
  };
}

function entering(rootfs: string, config: ImageConfig, options: RunOptions): readonly string[] {
  const [user, group = user] = (options.user ?? config.User).split(":");
  const bounding = ["-all", ...(options.rights ?? []).map((right) => `+${right}`)].join(",");
  const mounts = ["/proc", "/sys", "/dev", SHARED].map((place) => {
    mkdirSync(path.join(rootfs, place), { recursive: true });
    return `mount --rbind ${place} ${rootfs}${place}`;
  });
  return [
    ...["unshare", "--mount", "--propagation", "private", "--"],
    ...["sh", "-c", `${mounts.join(" && ")} && exec "$@"`, "sh"],
    ...["chroot", rootfs],
    ...["setpriv", "--reuid", user ?? "", "--regid", group ?? "", "--clear-groups", "--no-new-privs"],
    ...[`--bounding-set=${bounding}`, "--inh-caps=-all"],
    ...["env", "-i", ...config.Env],
  ];
}

function run(program: string, ...words: readonly string[]): string {
  return execFileSync(program, [...words], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 256 * 1024 * 1024,
  });
}
