import { loadLibc } from "./libc.ts";
import { bindLibrary, loadKoffi, once } from "./native.ts";

const REMEDY = "Install libbpf 1.0 or later: apt-get install libbpf1, or dnf install libbpf";
const KEPT_LINES = 40;
/** libbpf's levels: 0 warnings, 1 information, 2 debugging. */
const DEBUG = 2;

/** libbpf's functions, opened at first use. */
export const loadLibbpf = once(() =>
  bindLibrary("libbpf.so.1", REMEDY, {
    bpf_object__open_file: "void *bpf_object__open_file(const char *path, const void *opts)",
    bpf_object__load: "int bpf_object__load(void *object)",
    bpf_object__close: "void bpf_object__close(void *object)",
    bpf_object__next_map: "void *bpf_object__next_map(void *object, void *previous)",
    bpf_object__next_program: "void *bpf_object__next_program(void *object, void *previous)",
    bpf_map__name: "const char *bpf_map__name(void *map)",
    bpf_map__fd: "int bpf_map__fd(void *map)",
    bpf_map__set_max_entries: "int bpf_map__set_max_entries(void *map, uint32_t count)",
    bpf_map__set_pin_path: "int bpf_map__set_pin_path(void *map, const char *path)",
    bpf_program__name: "const char *bpf_program__name(void *program)",
    bpf_program__fd: "int bpf_program__fd(void *program)",
    bpf_program__set_log_buf: "int bpf_program__set_log_buf(void *program, void *log, size_t bytes)",
    bpf_map_lookup_elem: "int bpf_map_lookup_elem(int fd, const void *key, void *value)",
    bpf_map_update_elem:
      "int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)",
    bpf_map_delete_elem: "int bpf_map_delete_elem(int fd, const void *key)",
    bpf_map_get_next_key: "int bpf_map_get_next_key(int fd, const void *key, void *next)",
    bpf_map_lookup_batch:
      "int bpf_map_lookup_batch(int fd, void *from, void *to, void *keys, void *values, void *count, const void *opts)",
    bpf_map_update_batch:
      "int bpf_map_update_batch(int fd, const void *keys, const void *values, void *count, const void *opts)",
    bpf_map_delete_batch: "int bpf_map_delete_batch(int fd, const void *keys, void *count, const void *opts)",
    bpf_map_create:
      "int bpf_map_create(int type, const char *name, uint32_t key, uint32_t value, uint32_t entries, const void *opts)",
    bpf_obj_pin: "int bpf_obj_pin(int fd, const char *path)",
    bpf_obj_get: "int bpf_obj_get(const char *path)",
    bpf_obj_get_info_by_fd: "int bpf_obj_get_info_by_fd(int fd, void *value, void *bytes)",
    bpf_prog_get_fd_by_id: "int bpf_prog_get_fd_by_id(uint32_t id)",
    bpf_prog_test_run_opts: "int bpf_prog_test_run_opts(int fd, void *opts)",
    bpf_link_create: "int bpf_link_create(int program, int target, int type, const void *opts)",
    bpf_link_update: "int bpf_link_update(int link, int program, const void *opts)",
    bpf_tc_hook_create: "int bpf_tc_hook_create(void *hook)",
    bpf_tc_attach: "int bpf_tc_attach(const void *hook, void *opts)",
    bpf_tc_detach: "int bpf_tc_detach(const void *hook, const void *opts)",
    bpf_tc_query: "int bpf_tc_query(const void *hook, void *opts)",
    libbpf_num_possible_cpus: "int libbpf_num_possible_cpus(void)",
  }),
);

/**
 * Runs `work` and keeps what libbpf says meanwhile, instead of letting it write to stderr.
 * libbpf hands a `va_list` over: a pointer on every 64-bit Linux ABI, so that vsnprintf can take it back.
 */
export function withLibbpfLog<Result>(work: (log: () => string) => Result): Result {
  const koffi = loadKoffi();
  loadLibbpf();
  const { libbpf_set_print, vsnprintf, printer } = loadPrinter();
  const lines: string[] = [];
  const line = Buffer.alloc(2048);
  const callback = koffi.register((level: number, format: bigint, parameters: bigint) => {
    const length = vsnprintf(line, line.length, format, parameters);
    if (length > 0 && level < DEBUG)
      lines.push(line.toString("utf8", 0, Math.min(length, line.length - 1)).trimEnd());
    if (lines.length > KEPT_LINES) lines.shift();
    return length;
  }, koffi.pointer(printer));
  libbpf_set_print(callback);
  try {
    return work(() => lines.join("\n"));
  } finally {
    libbpf_set_print(null);
    koffi.unregister(callback);
  }
}

const loadPrinter = once(() => {
  const koffi = loadKoffi();
  const printer = koffi.proto("int LibbpfPrinter(int level, void *format, void *parameters)");
  const { libbpf_set_print } = bindLibrary("libbpf.so.1", REMEDY, {
    libbpf_set_print: "void *libbpf_set_print(LibbpfPrinter *printer)",
  });
  return { libbpf_set_print, vsnprintf: loadLibc().vsnprintf, printer };
});
