import { writeFileSync } from "node:fs";
import path from "node:path";
import { runProgram } from "./namespaces.ts";

/** PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Makes an authority of its own with openssl. */
export function makeAuthority(directory: string, name: string): CertificateFiles {
  const files = filesOf(directory, name);
  const request = ["req", "-x509", ...KEY, "-subj", `/CN=${name}`, "-days", "2"];
  runProgram("openssl", [...request, "-keyout", files.key, "-out", files.certificate]);
  return files;
}

/** Makes a certificate that the authority has signed. `names` as in `IP:127.0.0.1,DNS:etcd`. */
export function makeCertificate(
  directory: string,
  authority: CertificateFiles,
  name: string,
  names = `DNS:${name}`,
): CertificateFiles {
  const files = filesOf(directory, name);
  const [request, extensions] = ["csr", "ext"].map((ending) => path.join(directory, `${name}.${ending}`));
  writeFileSync(extensions ?? "", `subjectAltName=${names}\n`);
  runProgram("openssl", ["req", ...KEY, "-subj", `/CN=${name}`, "-keyout", files.key, "-out", request ?? ""]);
  const signing = ["-CA", authority.certificate, "-CAkey", authority.key, "-CAcreateserial", "-days", "2"];
  const inAndOut = ["-in", request ?? "", "-extfile", extensions ?? "", "-out", files.certificate];
  runProgram("openssl", ["x509", "-req", ...signing, ...inAndOut]);
  return files;
}

function filesOf(directory: string, name: string): CertificateFiles {
  return {
    certificate: path.join(directory, `${name}.pem`),
    key: path.join(directory, `${name}.key`),
  };
}
