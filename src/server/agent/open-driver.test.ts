import { expect, it } from "vitest";
import { MemoryKernel, openMemoryDriver } from "../../dataplane/memory/index.ts";
import { ParasausError, systemClock } from "../../foundation/index.ts";
import { openFirst } from "./open-driver.ts";

const works = async () => openMemoryDriver(new MemoryKernel({ clock: systemClock }));
const lacks = (what: string) => async () => {
  throw new ParasausError("KernelUnsupported", `Cannot use ${what}`);
};

it("opens the first driver that the kernel can do, and says why not an earlier one", async () => {
  expect(await openFirst([works, lacks("IPVS")])).toMatchObject({ driver: { name: "memory" } });
  expect((await openFirst([works])).fallback).toBeUndefined();
  expect((await openFirst([lacks("eBPF"), works])).fallback).toBe("Cannot use eBPF");
});

it("names every reason when there is no driver for this kernel", async () => {
  await expect(openFirst([lacks("eBPF"), lacks("IPVS")])).rejects.toThrow("Cannot use eBPF; Cannot use IPVS");
});

it("hides no other failure behind another driver", async () => {
  const breaks = async () => {
    throw new ParasausError("KernelError", "Cannot write");
  };
  await expect(openFirst([breaks, works])).rejects.toThrow("Cannot write");
});
