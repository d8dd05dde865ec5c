import { expect, it } from "vitest";
import { stepsFor } from "./commands.ts";
import type { Destination, Service } from "./services.ts";

const address = { ip: "192.0.2.10", port: 80, protocol: "TCP" as const };

function serviceWith(weights: Readonly<Record<string, number>>, change: Partial<Service> = {}): Service {
  const destinations = Object.entries(weights).map(([ip, weight]): [string, Destination] => [
    `${ip}:8080`,
    { ip, port: 8080, weight, method: "masq" },
  ]);
  return { address, scheduler: "rr", affinitySeconds: 0, destinations: new Map(destinations), ...change };
}

function kindsOf(held: Service | undefined, wanted: Service | undefined): readonly string[] {
  const steps = stepsFor(held, wanted);
  return [...(steps?.opening ?? []), ...(steps?.widening ?? []), ...(steps?.narrowing ?? [])].map(
    ({ kind }) => kind,
  );
}

it("does nothing where the kernel holds what is wanted", () => {
  expect(stepsFor(serviceWith({ "10.0.0.1": 1 }), serviceWith({ "10.0.0.1": 1 }))).toBeUndefined();
  expect(stepsFor(undefined, undefined)).toBeUndefined();
});

it("adds the new member before it removes the old one, so that a service is never empty", () => {
  const kinds = kindsOf(serviceWith({ "10.0.0.1": 1 }), serviceWith({ "10.0.0.2": 1 }));
  expect(kinds).toEqual(["add-destination", "delete-destination"]);
});

it("raises weights before it lowers others, and edits a member that recovers instead of adding it", () => {
  const steps = stepsFor(
    serviceWith({ "10.0.0.1": 0, "10.0.0.2": 3 }),
    serviceWith({ "10.0.0.1": 2, "10.0.0.2": 0 }),
  );
  expect(steps?.widening).toMatchObject([
    { kind: "edit-destination", destination: { ip: "10.0.0.1", weight: 2 } },
  ]);
  expect(steps?.narrowing).toMatchObject([
    { kind: "edit-destination", destination: { ip: "10.0.0.2", weight: 0 } },
  ]);
});

it("edits the service once where its scheduler or its affinity is another", () => {
  const held = serviceWith({ "10.0.0.1": 1 });
  expect(kindsOf(held, serviceWith({ "10.0.0.1": 1 }, { scheduler: "wlc" }))).toEqual(["edit-service"]);
  expect(kindsOf(held, serviceWith({ "10.0.0.1": 1 }, { affinitySeconds: 60 }))).toEqual(["edit-service"]);
  const sticky = serviceWith({ "10.0.0.1": 1 }, { affinitySeconds: 60 });
  expect(kindsOf(sticky, { ...sticky, affinityPrefixLength: 24 })).toEqual(["edit-service"]);
});

it("makes a new service before its members, and removes one whole", () => {
  const service = serviceWith({ "10.0.0.1": 1, "10.0.0.2": 1 });
  expect(kindsOf(undefined, service)).toEqual(["add-service", "add-destination", "add-destination"]);
  expect(kindsOf(service, undefined)).toEqual(["delete-service"]);
});
