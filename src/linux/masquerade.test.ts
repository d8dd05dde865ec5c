import { expect, it } from "vitest";
import { ParasausError } from "../foundation/index.ts";
import { openMasquerade } from "./masquerade.ts";

it("says why not on a kernel that knows nothing of nf_tables, and holds up nothing else", () => {
  const why = new ParasausError("KernelUnsupported", "Cannot open a netlink socket: EPROTONOSUPPORT");
  const masquerade = openMasquerade("parasaus_n1", 4, () => {
    throw why;
  });
  expect(masquerade.whyNot()).toBe(why.message);
  expect(masquerade.list()).toBeUndefined();
  expect(() => masquerade.install([])).toThrow(why);
  masquerade.uninstall();
  expect(masquerade.writeCount).toBe(0);
});
