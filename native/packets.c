// Batches of packets in and out: one call of JavaScript each, and in it one read or write a packet.
// Moves `header + packet` octets at offsets that TypeScript gives it; arena and columns are borrowed for the call. What software
// offload does with a packet is merge.c's and segment.c's.
#include "device.h"
#include "outgoing.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

// Where packets are read to, and what is known of them.
struct arena {
  uint8_t *bytes;
  size_t size;
  int32_t *offsets;
  int32_t *lengths;
  size_t rows;
  size_t row;
  size_t place;
  size_t gap;
  size_t largest;
};

static size_t after(const struct arena *arena, size_t place, size_t length) {
  return ((place + length + 3) & ~(size_t)3) + arena->gap;
}

static bool has_room(const struct arena *arena) {
  return arena->row < arena->rows && arena->place + arena->largest <= arena->size;
}

static void admit_packet(struct arena *arena, size_t length) {
  arena->offsets[arena->row] = (int32_t)arena->place;
  arena->lengths[arena->row] = (int32_t)length;
  arena->place = after(arena, arena->place, length);
  arena->row++;
}

// How many packets were read, or a negative errno where that was none.
static int32_t read_packets(const struct device *device, struct arena *arena) {
  size_t header = (size_t)device->header;
  size_t first = arena->row;
  while (has_room(arena)) {
    ssize_t octets = read(device->descriptor, arena->bytes + arena->place - header, arena->largest + header);
    if (octets < 0 && errno == EINTR) continue;
    if (octets < 0 && errno != EAGAIN && arena->row == first) return -errno;
    if (octets < 0) break;
    if ((size_t)octets > header) admit_packet(arena, (size_t)octets - header);
  }
  return (int32_t)(arena->row - first);
}

// The same, merged. While a run may go on, a packet's text is read to where it would belong, and what is before it beside.
static int32_t read_merged(const struct device *device, struct arena *arena) {
  struct run run = {.is_open = false};
  size_t first = arena->row;
  while (has_room(arena)) {
    uint8_t beside[OFFLOAD_HEADER + LONGEST_HEADERS];
    uint8_t *packet = arena->bytes + arena->place;
    size_t apart = run.is_open ? OFFLOAD_HEADER + run.headers : 0;
    uint8_t *rest = run.is_open ? run.packet + run.octets : packet - OFFLOAD_HEADER;
    struct iovec parts[2] = {{beside, apart}, {rest, arena->largest + (run.is_open ? 0 : OFFLOAD_HEADER)}};
    ssize_t octets = readv(device->descriptor, parts + !run.is_open, run.is_open ? 2 : 1);
    if (octets < 0 && errno == EINTR) continue;
    if (octets < 0 && errno != EAGAIN && arena->row == first) return -errno;
    if (octets < 0) break;
    if (octets <= OFFLOAD_HEADER) continue;
    size_t length = (size_t)octets - OFFLOAD_HEADER;
    if (continue_run(&run, beside + OFFLOAD_HEADER, length)) {
      arena->lengths[arena->row - 1] = (int32_t)run.octets;
      arena->place = after(arena, (size_t)arena->offsets[arena->row - 1], run.octets);
      continue;
    }
    end_run(&run);
    size_t all = (size_t)octets;
    if (all > apart) memmove(packet - OFFLOAD_HEADER + apart, rest, all - apart);
    memcpy(packet - OFFLOAD_HEADER, beside, all < apart ? all : apart);
    begin_run(&run, packet, length);
    admit_packet(arena, length);
  }
  end_run(&run);
  return (int32_t)(arena->row - first);
}

// receive(device, bytes, offsets, lengths, row, at, gap, largest) -> how many packets there are now more; 0 where none waits; a
// negative errno. The first packet goes to `at`, each next one to the next multiple of four and `gap` octets further,
// its header directly before it; rows from `row` on say where. Ends when rows or room for the largest packet run out.
static napi_value receive(napi_env env, napi_callback_info info) {
  napi_value values[MOST_ARGUMENTS];
  struct arena arena;
  size_t rows_of_length;
  int32_t row, at, gap, largest;
  struct device *device = device_argument(env, info, 8, values);
  if (device == NULL || !read_octets(env, values[1], "bytes", &arena.bytes, &arena.size) ||
      !read_integers(env, values[2], "offsets", &arena.offsets, &arena.rows) ||
      !read_integers(env, values[3], "lengths", &arena.lengths, &rows_of_length) ||
      !read_integer(env, values[4], "row", 0, INT32_MAX, &row) || !read_integer(env, values[5], "at", 0, INT32_MAX, &at) ||
      !read_integer(env, values[6], "gap", 0, INT32_MAX, &gap) ||
      !read_integer(env, values[7], "largest", 1, INT32_MAX, &largest))
    return NULL;
  if (at < device->header || gap < device->header || rows_of_length < arena.rows) {
    throw_range(env, "no room for the header, or columns of different lengths");
    return NULL;
  }
  arena.row = (size_t)row;
  arena.place = (size_t)at;
  arena.gap = (size_t)gap;
  arena.largest = (size_t)largest;
  return make_integer(env, device->is_software ? read_merged(device, &arena) : read_packets(device, &arena));
}

static bool lie_within(const struct rows *rows, int32_t end, size_t size, int header) {
  for (int32_t row = rows->first; row < end; row++) {
    int64_t start = (int64_t)rows->offsets[row] - header;
    if (start < 0 || rows->lengths[row] < 0 || start + header + rows->lengths[row] > (int64_t)size) return false;
  }
  return true;
}

static void add_row(const struct device *device, struct rows *rows, int32_t row) {
  struct outgoing *outgoing = device->outgoing;
  if (!device->is_software) {
    if (join_row(outgoing, rows, row)) return;
    add_packet(outgoing, rows, row, (size_t)device->header);
    return;
  }
  int error = add_segments(outgoing, rows, row);
  if (error == 0) return;
  flush_pieces(outgoing, rows);
  refuse_row(rows, row, error);
}

// How many of the rows were written, or where none was: 0 where there is no room now, else a negative errno. The others become the last rows.
static int32_t write_rows(const struct device *device, struct rows *rows, int32_t end) {
  for (int32_t row = rows->first; row < end; row++) add_row(device, rows, row);
  flush_pieces(device->outgoing, rows);
  int32_t written = end - rows->first - rows->refused;
  if (written == 0) return rows->error == -EAGAIN ? 0 : rows->error;
  size_t octets = (size_t)rows->refused * sizeof *rows->offsets;
  memmove(rows->offsets + rows->first + written, rows->offsets + rows->first, octets);
  memmove(rows->lengths + rows->first + written, rows->lengths + rows->first, octets);
  return written;
}

// transmit(device, bytes, offsets, lengths, first, end) -> how many packets the kernel took, those that it refused being the last now; 0
// where it has no room; a negative errno for the first packet where it refused all.
static napi_value transmit(napi_env env, napi_callback_info info) {
  napi_value values[MOST_ARGUMENTS];
  struct rows rows = {0};
  size_t size, length, rows_of_length;
  int32_t end;
  struct device *device = device_argument(env, info, 6, values);
  if (device == NULL || !read_octets(env, values[1], "bytes", &rows.bytes, &size) ||
      !read_integers(env, values[2], "offsets", &rows.offsets, &length) ||
      !read_integers(env, values[3], "lengths", &rows.lengths, &rows_of_length) ||
      !read_integer(env, values[4], "first", 0, INT32_MAX, &rows.first) ||
      !read_integer(env, values[5], "end", 0, INT32_MAX, &end))
    return NULL;
  if ((size_t)end > length || (size_t)end > rows_of_length) {
    throw_range(env, "\"end\" lies beyond the columns");
    return NULL;
  }
  if (!lie_within(&rows, end, size, device->header)) {
    throw_range(env, "a packet lies outside of its arena");
    return NULL;
  }
  return make_integer(env, rows.first < end ? write_rows(device, &rows, end) : 0);
}

// beyond(bytes, unit) -> how many octets the memory begins after a multiple of `unit`
static napi_value beyond(napi_env env, napi_callback_info info) {
  napi_value values[2];
  uint8_t *bytes;
  size_t length;
  int32_t unit;
  if (!read_arguments(env, info, 2, values, NULL) || !read_octets(env, values[0], "bytes", &bytes, &length) ||
      !read_integer(env, values[1], "unit", 1, INT32_MAX, &unit))
    return NULL;
  return make_integer(env, (int32_t)((uintptr_t)bytes % (uintptr_t)unit));
}

// errorName(number) -> "EIO"
static napi_value error_name(napi_env env, napi_callback_info info) {
  napi_value values[1], result;
  int32_t number;
  char scratch[64];
  if (!read_arguments(env, info, 1, values, NULL) || !read_integer(env, values[0], "error", 1, 4095, &number)) return NULL;
  napi_create_string_utf8(env, errno_name(number, scratch, sizeof scratch), NAPI_AUTO_LENGTH, &result);
  return result;
}

void add_packets(napi_env env, napi_value exports, void *environment) {
  add_function(env, exports, "receive", receive, environment);
  add_function(env, exports, "transmit", transmit, environment);
  add_function(env, exports, "beyond", beyond, environment);
  add_function(env, exports, "errorName", error_name, environment);
}
