export { openMemoryDriver } from "./memory-driver.ts";
export { type Delivery, MemoryKernel, type MemoryKernelOptions } from "./memory-kernel.ts";
